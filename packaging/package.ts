import { execFile } from "node:child_process";
import { chmod, lutimes, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { carriedPackages, type Processor } from "./carried.ts";
import { debianChangelog, newestRelease } from "./changelog.ts";
import { ARCHITECTURES, checkSymbols, control, md5sums, NO_MAINTAINER } from "./control.ts";
import { copyright } from "./copyright.ts";
import {
  DOC,
  HOME,
  layOutPackages,
  layOutProgram,
  layOutSystem,
  withoutTypes,
  write,
} from "./layout.ts";
import { layOutManual } from "./manual.ts";
import { sbom } from "./sbom.ts";

const run = promisify(execFile);
const TOP = fileURLToPath(new URL("..", import.meta.url));
const SCRIPTS = ["preinst", "postinst", "prerm", "postrm"];
const manifestSchema = z.looseObject({
  version: z.string(),
  license: z.string(),
  imports: z.record(z.string(), z.string()),
});

/** npm has installed what this machine runs, and nothing of others. */
const HERE: Processor = process.arch === "arm64" ? "arm64" : "x64";

const askedSchema = z.object({
  /** What dpkg-deb compresses with, and how hard. */
  with: z.enum(["gzip", "none", "xz"]),
  level: z.coerce.number(),
  processor: z.enum(["arm64", "x64"]).default(HERE),
  maintainer: z
    .string()
    .regex(/^[^<>@\n]+ <[^<>@\s]+@[^<>@\s]+>$/, "a maintainer is: Name <address>")
    .default(NO_MAINTAINER),
});
type Asked = z.infer<typeof askedSchema>;

/**
 * Makes the Debian package of this checkout in `folder`, and resolves to its path. The same checkout gives the same bytes: of
 * all that is in it times are those of the last commit (or SOURCE_DATE_EPOCH), owners root, and modes ours.
 */
export async function makePackage(
  folder: string,
  given: z.input<typeof askedSchema>,
): Promise<string> {
  const asked = askedSchema.parse(given);
  await mkdir(folder, { recursive: true });
  const root = await mkdtemp(join(folder, ".root-"));
  try {
    const epoch = await sourceEpoch();
    const version = await layOut(root, asked, epoch);
    for (const name of await below(root)) await lutimes(join(root, name), epoch, epoch);
    await lutimes(root, epoch, epoch);
    const made = join(folder, `bewaard_${version}_${ARCHITECTURES[asked.processor]}.deb`);
    const how = [`-Z${asked.with}`, `-z${asked.level}`, "--root-owner-group"];
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
    await run("dpkg-deb", [...how, "--build", root, made], { env });
    return made;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Resolves to the version of the package: of what was not released yet, the release before and the time. */
async function layOut(root: string, asked: Asked, epoch: number): Promise<string> {
  const { processor, maintainer } = asked;
  const manifest = manifestSchema.parse(
    JSON.parse(await readFile(join(TOP, "package.json"), "utf8")),
  );
  const changelog = await readFile(join(TOP, "CHANGELOG.md"), "utf8");
  const at = new Date(epoch * 1000).toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const released = newestRelease(changelog) === manifest.version;
  const version = released ? manifest.version : `${manifest.version}+${at}`;
  const carried = await carriedPackages(TOP, processor);
  await layOutProgram(TOP, root);
  await layOutPackages(TOP, root, carried, processor);
  await layOutSystem(TOP, root);
  await layOutManual(TOP, root, epoch, version);
  const { license, imports } = manifest;
  const own = { name: "bewaard", version, private: true, license, type: "module", imports };
  const described = withoutTypes(JSON.stringify(own, undefined, 2));
  await write(join(root, HOME, "package.json"), `${described}\n`);
  await write(join(root, DOC, "sbom.cdx.json"), sbom(version, carried));
  await write(join(root, DOC, "copyright"), await copyright(TOP, carried));
  const told = debianChangelog(changelog, version, epoch, maintainer);
  await write(join(root, DOC, "changelog.gz"), gzipSync(told, { level: 9 }));
  await layOutControl(root, version, asked);
  return version;
}

async function layOutControl(root: string, version: string, asked: Asked): Promise<void> {
  const { processor, maintainer } = asked;
  const names = await below(root);
  const files: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const path = join(root, name);
    const found = await stat(path);
    if (found.isDirectory()) await chmod(path, 0o755);
    if (!found.isFile() || name.includes("/.bin/")) continue;
    files.push(name);
    bytes += found.size;
    if (name.endsWith(".node")) await checkSymbols(path);
  }
  await chmod(root, 0o755);
  const migrations = await readdir(join(TOP, "storage/catalog/migrations"));
  const debian = join(root, "DEBIAN");
  await write(join(debian, "md5sums"), await md5sums(root, files));
  await write(join(debian, "control"), control({ version, processor, bytes, maintainer }));
  for (const name of SCRIPTS) {
    const text = await readFile(join(TOP, "packaging/debian", name), "utf8");
    const known = text.replace("@CATALOG_VERSION@", String(migrations.length));
    await write(join(debian, name), known, 0o755);
  }
  await chmod(debian, 0o755);
}

/** In seconds. */
async function sourceEpoch(): Promise<number> {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) return Number(given);
  return Number((await run("git", ["-C", TOP, "log", "-1", "--format=%ct"])).stdout);
}

/** Everything in `root`, in order: a folder before what is in it. */
async function below(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map((one) => join(relative(root, one.parentPath), one.name)).toSorted();
}

/** Says in one sentence why there is no package. */
function refuse(error: unknown): void {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      to: { type: "string", default: join(TOP, "dist") },
      with: { type: "string", default: "xz" },
      level: { type: "string", default: "6" },
      processor: { type: "string" },
      maintainer: { type: "string" },
    },
  });
  const asked = askedSchema.safeParse(values);
  if (!asked.success) throw new Error(z.prettifyError(asked.error));
  process.stdout.write(`${await makePackage(values.to, asked.data)}\n`);
}

if (import.meta.main) await main().catch(refuse);
