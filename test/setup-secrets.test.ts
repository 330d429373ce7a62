import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { credentialStore } from "../daemon/setup/credential-store.ts";
import { openFolder, removeLeft } from "../daemon/setup/opened-folder.ts";
import { makeOwned, readOwned } from "../daemon/setup/own-files.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { hasOwnMounts, itWithOwnMounts } from "./fakes/own-mounts.ts";

const ME = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));
const EXPOSED = { code: "SECRET_EXPOSED" };

describe("a password that root hands to setup", () => {
  it("is read where it is a plain file of the folder's owner, and may be missing", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "cam-0001.password");
    assert.equal(await readOwned(ME, path), undefined);
    await writeFile(path, "geheim\n", { mode: 0o600 });
    assert.equal(String(await readOwned(ME, path)), "geheim\n");
    assert.equal(String(await readOwned(undefined, path)), "geheim\n");
  });

  it("is no link, second name, FIFO, folder, or file of another or of any size (/etc/shadow stays secret)", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    await writeFile(at("shadow"), "root:*\n", { mode: 0o600 });
    await assert.rejects(readOwned({ ...ME, uid: ME.uid + 1 }, at("shadow")), EXPOSED);
    await symlink(at("shadow"), at("link"));
    await link(at("shadow"), at("name"));
    await promisify(execFile)("mkfifo", [at("fifo")]);
    await mkdir(at("folder"));
    await writeFile(at("large"), Buffer.alloc(4097), { mode: 0o600 });
    for (const name of ["link", "name", "fifo", "folder", "large"])
      await assert.rejects(readOwned(ME, at(name)), EXPOSED, name);
  });
});

describe("a folder that setup makes a box's own", () => {
  it("is one that is new or empty, and never what a link of its name leads to", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    const modeOf = async (name: string) => (await stat(at(name))).mode & 0o777;
    for (const name of ["empty", "disk/lost+found", "used/other", "elsewhere"])
      await mkdir(at(name), { recursive: true });
    for (const name of ["empty", "disk", "used", "elsewhere"]) await chmod(at(name), 0o755);
    await symlink(at("elsewhere"), at("link"));
    for (const name of ["new", "empty", "disk", "used", "link"])
      await makeOwned(undefined, at(name), 0o710);
    for (const name of ["new", "empty", "disk"]) assert.equal(await modeOf(name), 0o710, name);
    for (const name of ["used", "elsewhere"]) assert.equal(await modeOf(name), 0o755, name);
    await writeFile(at("file"), "");
    await assert.rejects(makeOwned(undefined, at("file"), 0o710), { code: "EEXIST" });
  });
});

describe("what systemd keeps of a box, open for setup", () => {
  if (hasOwnMounts())
    itWithOwnMounts(
      import.meta.url,
      "has beside it the passwords that were named, and nothing else of the state folder",
      async () => {
        // A /run of our own.
        await promisify(execFile)("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
        await using folder = await temporaryFolder();
        const at = (name: string): string => join(folder.path, name);
        await writeFile(at("cam-0001.password"), "geheim\n", { mode: 0o600 });
        await symlink("/etc/shadow", at("cam-0002.password"));
        const store = credentialStore("bewaard-of-no-box");
        const names = ["cam-0001.password", "cam-0003.password"];
        const named = { folder: folder.path, owner: ME, names };
        await using opened = await store.open(ME, named);
        assert.equal(opened.path, "/run/bewaard-setup/bewaard-of-no-box");
        assert.deepEqual(await readdir(opened.path), ["cam-0001.password"]);
        await assert.rejects(store.open(ME, named), { code: "USAGE" });
      },
    );
});

describe("what a setup that was killed has left", () => {
  if (hasOwnMounts())
    itWithOwnMounts(
      import.meta.url,
      "is gone as soon as root begins any setup, and though that comes to nothing",
      async () => {
        await promisify(execFile)("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
        await mkdir("/run/bewaard-setup/bewaard-museum", { recursive: true });
        await writeFile("/run/bewaard-setup/bewaard-museum/node.key", "key");
        const none = "/run/none/bewaard.yaml";
        const ran = promisify(execFile)(process.execPath, [CLI, "-c", none, "setup"]);
        await assert.rejects(ran, (error: { stderr?: unknown }) => {
          assert.match(String(error.stderr), /^CONFIG_MISSING/);
          return true;
        });
        assert.deepEqual(await readdir("/run/bewaard-setup"), ["bewaard-museum.lock"]);
      },
    );
});

const LEAVES = `
import { openFolder } from "${fileURLToPath(new URL("../daemon/setup/opened-folder.ts", import.meta.url))}";
await openFolder(process.argv[1], "bewaard", undefined, (put) => put("node.key", Buffer.from("key")));
process.stdout.write("open");
process.stdin.resume();
`;

/** A setup that has its secrets open, in a process of its own. */
async function setupAtWork(base: string) {
  const command = ["--input-type=module", "-e", LEAVES, base];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "close");
  };
}

describe("secrets that are open while setup runs", () => {
  it("can be read by their owner, by name, and are gone afterwards", async () => {
    await using folder = await temporaryFolder();
    const base = join(folder.path, "run");
    const put = async (): Promise<void> => {
      await using opened = await openFolder(base, "bewaard", ME, (one) =>
        one("node.key", Buffer.from("key")),
      );
      assert.equal(await readFile(join(opened.path, "node.key"), "utf8"), "key");
      assert.equal((await stat(join(opened.path, "node.key"))).mode & 0o777, 0o400);
      assert.equal((await stat(opened.path)).mode & 0o777, 0o711);
    };
    await put();
    assert.deepEqual(await readdir(base), ["bewaard.lock"]);
    const broken = openFolder(base, "bewaard", ME, async (one) => {
      await one("node.key", Buffer.from("key"));
      throw new TypeError("broken");
    });
    await assert.rejects(broken, TypeError);
    assert.deepEqual(await readdir(base), ["bewaard.lock"]);
    await put();
  });

  it("stay while another setup has them open, and are removed by the next once it was killed", async () => {
    await using folder = await temporaryFolder();
    const base = join(folder.path, "run");
    const left = join(base, "bewaard", "node.key");
    const kill = await setupAtWork(base);
    try {
      await removeLeft(base);
      await assert.rejects(
        openFolder(base, "bewaard", ME, async () => undefined),
        { code: "USAGE" },
      );
      assert.equal(await readFile(left, "utf8"), "key");
    } finally {
      await kill();
    }
    assert.equal(await readFile(left, "utf8"), "key");
    // Of a tenant whose name begins the same, and who is at work.
    await using _ = await openFolder(base, "bewaard-setup", ME, async () => undefined);
    await removeLeft(base);
    assert.deepEqual((await readdir(base)).toSorted(), [
      "bewaard-setup",
      "bewaard-setup.lock",
      "bewaard.lock",
    ]);
  });
});

/** As root, in the view of one machine that has a key with systemd. */
const WITH_SYSTEMD = `
mount -t overlay overlay -o "lowerdir=$1:/etc" /etc
exec sh "$2"
`;
const NODE_KEY = fileURLToPath(new URL("../systemd/node-key.sh", import.meta.url));
const AS_ROOT = ME.uid === 0 ? [] : ["--map-root-user"];

describe("node-key.sh", () => {
  it("makes no key on a box whose key is with systemd, whatever became of its state folder (invariant 8)", async () => {
    await using folder = await temporaryFolder();
    const store = join(folder.path, "credstore.encrypted");
    await mkdir(store);
    await writeFile(join(store, "bewaard.node.key"), "");
    const shell = ["sh", "-euc", WITH_SYSTEMD, "sh", folder.path, NODE_KEY];
    const ran = promisify(execFile)("unshare", [...AS_ROOT, "--mount", ...shell]);
    await assert.rejects(ran, (error: { stderr?: unknown }) => {
      assert.match(String(error.stderr), /^[^\n]*with systemd: bewaard setup\n$/);
      return true;
    });
  });
});
