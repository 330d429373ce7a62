import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { z } from "zod";
import { temporaryFolder } from "./fakes/folder.ts";

const run = promisify(execFile);
const TOP = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../packaging/package.ts", import.meta.url));

const component = z.looseObject({
  "bom-ref": z.string(),
  name: z.string(),
  version: z.string(),
  cpe: z.string().optional(),
  licenses: z.array(z.looseObject({})).length(1),
  hashes: z.array(z.looseObject({ alg: z.literal("SHA-512"), content: z.string() })).length(1),
});
const billSchema = z.looseObject({ components: z.array(component) });
const MAINTAINER = "Beheer van Den Haag <beheer@denhaag.example>";
const AS_ROOT = process.getuid?.() === 0 ? [] : ["--map-root-user"];

/** In a process of its own, as another person would on another day: uncompressed, which takes a tenth of the time. */
async function made(to: string, umask: string, zone: string): Promise<string> {
  const shell = `umask ${umask}; exec "$0" "$@"`;
  const args = [process.execPath, PACKAGE, "--to", to, "--with", "none", "--level", "0"];
  args.push("--maintainer", MAINTAINER);
  const env = { ...process.env, TZ: zone };
  return (await run("/bin/sh", ["-c", shell, ...args], { env })).stdout.trim();
}

/** As where it was installed: /usr as the package has it over this machine's, and no checkout. */
const INSTALLED = `
set -eu
mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr
mount -t tmpfs tmpfs "$2"
cd /
shift 2
exec "$@"
`;

describe("the package", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let packages: readonly string[];
  let root: string;

  before(async () => {
    folder = await temporaryFolder();
    root = join(folder.path, "root");
    packages = await Promise.all([
      made(join(folder.path, "a"), "022", "UTC"),
      made(join(folder.path, "b/c"), "077", "Pacific/Chatham"),
    ]);
    await run("dpkg-deb", ["-x", packages[0] ?? "", root]);
  });

  after(() => folder[Symbol.asyncDispose]());

  async function installed(...command: string[]): Promise<string> {
    const shell = ["/bin/sh", "-c", INSTALLED, "sh", root, TOP, ...command];
    return (await run("unshare", [...AS_ROOT, "--mount", ...shell], { timeout: 60_000 })).stdout;
  }

  it("is the same to the byte wherever, whenever and by whomever it is made", async () => {
    const [one = "", other = ""] = packages;
    assert.notEqual(one, other);
    await run("cmp", [one, other]);
  });

  it("runs from where it was installed, without a checkout", async () => {
    assert.match(await installed("bewaard", "--help"), /Gebruik \/ usage: bewaard/);
    assert.match(await installed("bewaarctl", "--help"), /Gebruik \/ usage: bewaarctl/);
    assert.equal(
      (await installed("bewaard", "--version")).trim(),
      /_(.+)_/.exec(packages[0] ?? "")?.[1],
    );
    const schema = z.looseObject({ $schema: z.string() });
    schema.parse(JSON.parse(await installed("bewaard", "config", "schema")));
  });

  it("brings an example that is a configuration", async () => {
    const example = "/usr/share/doc/bewaard/examples/bewaard.yaml";
    const { mistakes } = z
      .looseObject({ mistakes: z.array(z.unknown()) })
      .parse(JSON.parse(await installed("bewaard", "-c", example, "--json", "config", "check")));
    assert.deepEqual(mistakes, []);
  });

  it("has what each of its modules loads", async () => {
    const home = "/usr/lib/bewaard";
    const names = (await readdir(join(root, home), { recursive: true })).filter(
      (name) => name.endsWith(".js") && !/^node_modules\/|s3-server\/main/.test(name),
    );
    assert.ok(names.length > 500);
    const load = `for (const name of ${JSON.stringify(names)}) await import("${home}/" + name)`;
    await installed(`${home}/node_modules/.bin/node`, "--input-type=module", "--eval", load);
  });

  it("names in its bill of materials what it brings of others, with its licence, and nothing else", async () => {
    const home = join(root, "usr/lib/bewaard");
    const doc = join(root, "usr/share/doc/bewaard");
    const { components } = billSchema.parse(
      JSON.parse(await readFile(join(doc, "sbom.cdx.json"), "utf8")),
    );
    const copyright = await readFile(join(doc, "copyright"), "utf8");
    const named = components.map((one) => one["bom-ref"].split("#")[1] ?? "");
    const brought = (await readdir(home, { recursive: true })).flatMap(
      (name) =>
        /^node_modules\/(?:.+\/node_modules\/)?(?:@[^/]+\/)?[^@./][^/]*(?=\/(?:package\.json|bin\/node)$)/.exec(
          name,
        ) ?? [],
    );
    assert.ok(named.length > 80);
    assert.deepEqual(named.toSorted(), brought.toSorted());
    for (const { name, version } of components)
      assert.ok(copyright.includes(`\n${name} ${version}: `), name);
    const node = components.find(({ cpe }) => cpe !== undefined);
    assert.equal(node?.cpe, `cpe:2.3:a:nodejs:node.js:${node?.version}:*:*:*:*:*:*:*`);
    const runs = await installed("/usr/lib/bewaard/node_modules/.bin/node", "--version");
    assert.equal(runs.trim(), `v${node?.version}`);
    const only = ["mocha", "typescript", "node-gyp", "tar", "prebuild-install"];
    for (const name of only) assert.ok(!components.some((one) => one.name === name), name);
  });

  it("names whoever gives it out, and takes no name without an address", async () => {
    const [one = ""] = packages;
    assert.equal((await run("dpkg-deb", ["-f", one, "Maintainer"])).stdout.trim(), MAINTAINER);
    const nameless = run(process.execPath, [
      PACKAGE,
      "--to",
      folder.path,
      "--maintainer",
      "Beheer",
    ]);
    await assert.rejects(nameless, { code: 1, stderr: /a maintainer is: Name <address>/ });
  });

  it("is refused for arm64, in one line, while the registry serves one thing less for it", async () => {
    const to = join(folder.path, "arm64");
    await assert.rejects(run(process.execPath, [PACKAGE, "--to", to, "--processor", "arm64"]), {
      code: 1,
      stdout: "",
      stderr: /^package: none for arm64: node-unix-socket-linux-arm64-gnu 0\.2\.7 has no .*\n$/,
    });
    assert.deepEqual(await readdir(to), []);
  });

  it("is refused over a catalog of a newer version, of the box or of any tenant, and names it", async () => {
    const control = join(folder.path, "control");
    await run("dpkg-deb", ["-e", packages[0] ?? "", control]);
    // SQLite has the version at byte 60, big-endian.
    const script = `mount -t tmpfs tmpfs /var/lib
      for name in bewaard bewaard-annex1; do mkdir /var/lib/$name; head -c 64 /dev/zero > /var/lib/$name/catalog.db; done
      if [ -n "$2" ]; then (head -c 60 /dev/zero; printf '\\0\\0\\047\\017') > "/var/lib/$2/catalog.db"; fi
      sh "$1/preinst" upgrade 0.1`;
    const installs = (newer: string) =>
      run("unshare", [...AS_ROOT, "--mount", "/bin/sh", "-euc", script, "sh", control, newer]);
    assert.equal((await installs("")).stderr, "");
    for (const newer of ["bewaard", "bewaard-annex1"])
      await assert.rejects(installs(newer), new RegExp(`/var/lib/${newer}/catalog.db .*9999`));
  });

  it("tells its own version first in its list of changes", async () => {
    const packed = await readFile(join(root, "usr/share/doc/bewaard/changelog.gz"));
    const told = gunzipSync(packed).toString();
    const [first = ""] = told.split("\n");
    const version = /_(.+)_/.exec(packages[0] ?? "")?.[1];
    assert.equal(first, `bewaard (${version}) stable; urgency=medium`);
    assert.ok(told.includes(`\n -- ${MAINTAINER}  `));
  });

  it("has units that name only what it has", async () => {
    const units = join(root, "usr/lib/systemd/system");
    for (const name of await readdir(units)) {
      const text = await readFile(join(units, name), "utf8");
      assert.doesNotMatch(text, /\/opt\//, name);
      const places = text.matchAll(
        /(?<=[=\s:/]|file:\/\/)\/usr\/(?:lib|share\/doc)\/bewaard\/\S+/g,
      );
      for (const [place] of places) await readFile(join(root, place));
    }
  });
});
