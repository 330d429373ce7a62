import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname, extname, join, relative } from "node:path";
import { promisify } from "node:util";
import type { Carried, Processor } from "./carried.ts";
import { TENANT_FILES, TENANT_UNITS, templateName, tenantTemplate } from "./tenant.ts";

const run = promisify(execFile);

export const HOME = "usr/lib/bewaard";
export const DOC = "usr/share/doc/bewaard";

/** The folders of the program. */
const PROGRAM = ["config", "daemon", "drivers", "storage"];
/** Of docs/, what goes into the folder of a proof (daemon/proof-folder.ts): no program may need what is in /usr/share/doc. */
const READ_BY_PROGRAM = ["docs/ledger.md", "docs/proof-readme.txt"];
/** What units and administrators use of systemd/. */
const SCRIPTS = [
  "look-again.sh",
  "serve-mtp.sh",
  "probe-film.sh",
  "repack-stream.sh",
  "node-key.sh",
  "bewaard-bucket.conf",
];

/** Lays out in `root` what the program is: the TypeScript without its types, in the same lines and columns. */
export async function layOutProgram(top: string, root: string): Promise<void> {
  for (const name of await tracked(top, ...PROGRAM, ...READ_BY_PROGRAM)) {
    const to = withoutTypes(join(root, HOME, name));
    if (name.endsWith(".ts")) await installed(top, name, to, untyped);
    else await copy(join(top, name), to);
  }
  for (const name of SCRIPTS)
    await installed(top, `systemd/${name}`, join(root, HOME, "systemd", name), naming);
}

/** What Node makes of it at each start where it keeps nothing: two fifths of such a start. */
function untyped(text: string): string {
  return withoutTypes(stripTypeScriptTypes(text));
}

/** `text` with the files of TypeScript in it called as they are in the package: modules, and what code makes an address of. */
export function withoutTypes(text: string): string {
  return text.replaceAll(/\.ts(?=["`]|$)/g, ".js");
}

/** A unit or script, which names a program. */
function naming(text: string): string {
  return text.replaceAll(/(?<=\bdaemon\/cli\/[\w-]+|bewaard\\)\.ts\b/g, ".js");
}

async function tracked(top: string, ...paths: string[]): Promise<readonly string[]> {
  const { stdout } = await run("git", ["-C", top, "ls-files", "-z", ...paths]);
  return stdout.split("\0").filter((name) => name !== "");
}

/** Lays out what it needs of npm, the Node that it runs on among it. */
export async function layOutPackages(
  top: string,
  root: string,
  carried: readonly Carried[],
  processor: Processor,
): Promise<void> {
  const node = `node-linux-${processor}`;
  for (const { name, path } of carried)
    await (name === node
      ? copy(join(top, path, "bin/node"), join(root, HOME, path, "bin/node"))
      : copyRunning(join(top, path), join(root, HOME, path), ""));
  await mkdir(join(root, HOME, "node_modules/.bin"));
  await symlink(`../${node}/bin/node`, join(root, HOME, "node_modules/.bin/node"));
}

/** What Node loads. The rest of a package is for who writes with it. */
const RUNS = /^[^.].*\.(?:[cm]?js|json|node)$/;
/** At the top of a package only: deeper down, a name tells less of what a folder is for. */
const FOR_DEVELOPERS = new Set([
  "bin",
  "coverage",
  "doc",
  "docs",
  "example",
  "examples",
  "sample",
  "test",
  "tests",
  "tools",
]);
/** At the top too, once more for those who bundle for a browser: Node takes the half that is for it. */
const FOR_BUNDLERS = new Set(["browser", "dist-es"]);
/** Packages within packages are carried by themselves; the other is what a compiler leaves. */
const NOWHERE = new Set(["node_modules", "obj.target"]);

async function copyRunning(from: string, to: string, below: string): Promise<void> {
  for (const entry of await readdir(join(from, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) {
      if (NOWHERE.has(entry.name) || FOR_DEVELOPERS.has(name) || FOR_BUNDLERS.has(name)) continue;
      await copyRunning(from, to, name);
    } else if (entry.isFile() && RUNS.test(entry.name))
      await write(join(to, name), await readFile(join(from, name)));
  }
}

/** Where systemd looks, by the name that a file ends in. */
const PLACES: Readonly<Record<string, string>> = {
  ".catalog": "systemd/catalog",
  ".path": "systemd/system",
  ".service": "systemd/system",
  ".slice": "systemd/system",
  ".socket": "systemd/system",
};

/** What systemd, udev and people find in their own places. */
export async function layOutSystem(top: string, root: string): Promise<void> {
  for (const name of await tracked(top, "systemd")) {
    const kind = PLACES[extname(name)];
    if (kind === undefined) continue;
    await installed(top, name, join(root, "usr/lib", kind, basename(name)), naming);
  }
  await layOutTemplates(top, root);
  const generator = join(root, "usr/lib/systemd/system-generators/bewaard-tenants");
  await installed(top, "systemd/tenants.sh", generator);
  for (const [name, place] of [
    ["bewaard.sysusers", "sysusers.d/bewaard.conf"],
    ["bewaard.tmpfiles", "tmpfiles.d/bewaard.conf"],
    ["90-bewaard.rules", "udev/rules.d/90-bewaard.rules"],
  ])
    await installed(top, `systemd/${name}`, join(root, "usr/lib", place ?? ""));
  const unit = await readFile(join(top, "systemd/bewaard.service"), "utf8");
  const options = /^ExecStart=\S+((?: --\S+)+) \S+bewaard\.ts /m.exec(unit)?.[1] ?? "";
  for (const name of ["bewaard", "bewaarctl"])
    await write(join(root, "usr/bin", name), starter(name, options), 0o755);
  await mkdir(join(root, "etc/bewaard"), { recursive: true });
  const example = "examples/bewaard.yaml";
  await copy(join(top, "packaging", example), join(root, DOC, example));
  await copy(
    join(top, "packaging/lintian-overrides"),
    join(root, "usr/share/lintian/overrides/bewaard"),
  );
  for (const name of await tracked(top, "docs/*.md", "docs/**/*.md"))
    await copy(join(top, name), join(root, DOC, relative("docs", name)));
}

/** The units as templates, for tenants: out of the units themselves, so that what holds for one holds for all. */
async function layOutTemplates(top: string, root: string): Promise<void> {
  for (const name of TENANT_UNITS) {
    const to = join(root, "usr/lib/systemd/system", templateName(name));
    await installed(top, `systemd/${name}`, to, (text) => naming(tenantTemplate(text)));
  }
  for (const [name, called] of Object.entries(TENANT_FILES)) {
    const to = join(root, HOME, "systemd", called);
    await installed(top, `systemd/${name}`, to, (text) => naming(tenantTemplate(text, "%j")));
  }
  const over = join(root, HOME, "systemd/bewaard-bucket@.conf");
  await installed(top, "systemd/bewaard-bucket.conf", over, (text) => naming(tenantTemplate(text)));
}

async function installed(
  top: string,
  name: string,
  to: string,
  change: (text: string) => string = (text) => text,
): Promise<void> {
  const text = change(await readFile(join(top, name), "utf8"));
  await write(to, text, await modeOf(join(top, name)));
}

function starter(name: string, options: string): string {
  return `#!/bin/sh
exec /${HOME}/node_modules/.bin/node${options} /${HOME}/daemon/cli/${name}.js "$@"
`;
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, await modeOf(from));
}

export async function write(to: string, content: string | Buffer, mode = 0o644): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, content);
  await chmod(to, mode);
}

/** As git keeps it: runs, or does not. Whatever the umask of whoever made the checkout. */
async function modeOf(path: string): Promise<number> {
  return ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755;
}
