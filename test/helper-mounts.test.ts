import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { carryOut } from "../daemon/helper/carry-out.ts";
import { FLAGS, systemMounts } from "../daemon/helper/mounts.ts";
import { turns } from "../daemon/helper/orders.ts";
import { deviceNumber } from "../daemon/helper/safe-folder.ts";
import type { Order } from "../daemon/orders/order.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { dockedRig, type HelperRig } from "./fakes/helper-rig.ts";
import { openLoopDisk } from "./fakes/loop-disk.ts";
import { listed, setTimeOrder } from "./fakes/orders.ts";
import { hasOwnMounts, itWithOwnMounts } from "./fakes/own-mounts.ts";

const REFUSED = { code: "CARD_MOUNT" };
const mounts = systemMounts("/dev");

function mountMemory(at: string): AsyncDisposable {
  execFileSync("mount", ["-t", "tmpfs", "-o", `ro,${FLAGS.join()}`, "tmpfs", at]);
  return { [Symbol.asyncDispose]: () => mounts.unmount(at) };
}

/** A card with two files, mounted as the kernel does it. */
async function reallyMounted(rig: HelperRig) {
  await rm(rig.card, { recursive: true });
  await mkdir(rig.card);
  const memory = mountMemory(rig.card);
  await mounts.remount(rig.card, "rw");
  for (const name of ["a", "b"]) await rig.put(name, "hello");
  await mounts.remount(rig.card, "ro");
  const device = deviceNumber((await stat(rig.card, { bigint: true })).dev);
  await rig.replug(device);
  const real = { ...mounts, open: (...disk: [string, string]) => rig.mounts.open(...disk) };
  return {
    device,
    async obey(order: Order) {
      await rig.leave(order);
      return carryOut(rig.clock, real, rig.places, turns(), order.nonce);
    },
    [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
  };
}

async function readAll(file: FileHandle): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of mounts.read(file)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

function loopsWithFat(): boolean {
  const knows = spawnSync("grep", ["-qw", "vfat", "/proc/filesystems"]).status === 0;
  return knows && spawnSync("sh", ["-c", "command -v mkfs.vfat losetup"]).status === 0;
}

describe("what the root helper asks of the machine", () => {
  it("opens no disk that is none, or has another number", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "sdb1"), "");
    await assert.rejects(systemMounts(folder.path).open("sdb1", "8:17"), REFUSED);
    await assert.rejects(mounts.open("null", "1:3"), REFUSED);
  });

  it("settles what is open, though its place is gone or is something else's by now", async () => {
    await using folder = await temporaryFolder();
    const at = join(folder.path, "card");
    await mkdir(at);
    await using card = await open(at);
    await rm(at, { recursive: true });
    await mounts.settle(card);
    await symlink("nowhere", at);
    await mounts.settle(card);
  });

  it("reads nothing past a memory that cannot be passed", async () => {
    await using file = await open("/proc/version");
    await assert.rejects(readAll(file), REFUSED);
  });

  it("takes away nothing where nothing is mounted, and makes nothing writable there", async () => {
    await using folder = await temporaryFolder();
    await mounts.unmount(folder.path);
    await assert.rejects(mounts.remount(folder.path, "rw"), REFUSED);
    await assert.rejects(mounts.mount("no-such-disk", "vfat", folder.path), REFUSED);
  });

  if (hasOwnMounts()) {
    const url = import.meta.url;
    itWithOwnMounts(
      url,
      "keeps a card without programs, devices and links, writable or not",
      async () => {
        await using folder = await temporaryFolder();
        const at = join(folder.path, "card");
        await mkdir(at);
        await using _ = mountMemory(at);
        const flags = async (): Promise<readonly string[]> => {
          const info = await readFile("/proc/self/mountinfo", "utf8");
          const line = info.split("\n").find((one) => one.split(" ")[4] === at);
          return line?.split(" ")[5]?.split(",") ?? [];
        };
        for (const how of ["rw", "ro"] as const) {
          await mounts.remount(at, how);
          for (const flag of [how, ...FLAGS]) assert.ok((await flags()).includes(flag), flag);
        }
        await assert.rejects(writeFile(join(at, "file"), ""), { code: "EROFS" });
        await using busy = await open(at);
        // And one over it.
        mountMemory(at);
        await mounts.unmount(at);
        assert.deepEqual(await flags(), []);
        assert.ok((await busy.stat()).isDirectory());
      },
    );

    if (spawnSync("sh", ["-c", "command -v mkfs.ext4 losetup filefrag"]).status === 0)
      itWithOwnMounts(
        url,
        "reads a file from the card itself, though a program holds it in memory (invariant 1)",
        async () => {
          await using disk = await openLoopDisk("ext4");
          const path = join(disk.path, "file");
          // A program that runs is mapped: memory that nothing forgets.
          await copyFile("/usr/bin/sleep", path);
          disk.settle();
          const child = spawn(path, ["600"], { stdio: "ignore" });
          try {
            disk.change("file", "changed");
            await using file = await open(path);
            execFileSync("dd", ["iflag=nocache", "count=0"], {
              stdio: [file.fd, "ignore", "ignore"],
            });
            assert.match(await readFile(path, "latin1"), /^\x7fELF/, "this machine remembers it");
            const read = await readAll(file);
            assert.match(read, /^changed/);
            assert.equal(read.length, (await stat(path)).size);
            for await (const chunk of mounts.read(file)) {
              assert.ok(chunk.length > 0);
              break;
            }
          } finally {
            child.kill();
            await once(child, "close");
          }
        },
      );

    itWithOwnMounts(
      url,
      "wipes a card that is really mounted, while others see it read-only",
      async () => {
        await using rig = await dockedRig();
        await using mounted = await reallyMounted(rig);
        const { device } = mounted;
        const report = await mounted.obey(
          rig.order([listed("a", "hello")], { device, how: "overwrite" }),
        );
        assert.deepEqual([report?.outcome, report?.why, report?.removed], ["done", null, [0]]);
        assert.deepEqual(await readdir(rig.card), ["b"]);
        await assert.rejects(writeFile(join(rig.card, "c"), ""), { code: "EROFS" });
      },
    );

    itWithOwnMounts(
      url,
      "writes the file that sets a clock to a card that is really mounted, over the one before it",
      async () => {
        await using rig = await dockedRig();
        await using mounted = await reallyMounted(rig);
        const { device } = mounted;
        for (const [nonce, template] of Object.entries({ a: "{year}", b: "{year}-{month}" })) {
          const order = setTimeOrder({ device, template, nonce: nonce.repeat(32) });
          const report = await mounted.obey(order);
          assert.deepEqual([report?.outcome, report?.why, report?.left], ["done", null, 3]);
        }
        assert.equal(await readFile(join(rig.card, "time.txt"), "utf8"), "2026-11");
        assert.deepEqual((await readdir(rig.card)).toSorted(), ["a", "b", "time.txt"]);
        await assert.rejects(writeFile(join(rig.card, "c"), ""), { code: "EROFS" });
      },
    );

    itWithOwnMounts(
      url,
      "touches no other file system that is mounted in a card's place",
      async () => {
        await using rig = await dockedRig();
        await using _ = mountMemory(rig.card);
        await mounts.remount(rig.card, "rw");
        await rig.put("a", "hello");
        const order = rig.order([listed("a", "hello")]);
        await rig.leave(order);
        const report = await rig.carryOut(order.nonce);
        assert.deepEqual([report?.outcome, report?.why], ["refused", "not-docked"]);
        assert.deepEqual(await readdir(rig.card), ["a"]);
      },
    );

    itWithOwnMounts(
      url,
      "touches nothing of a file system that is mounted within a card, of a folder or of one file",
      async () => {
        await using rig = await dockedRig();
        const another = join(rig.root, "another");
        await mkdir(another);
        await using _ = mountMemory(another);
        await mounts.remount(another, "rw");
        await writeFile(join(another, "a"), "hello");
        await rig.put("DCIM/b", "");
        await rig.put("c", "");
        execFileSync("mount", ["--bind", another, join(rig.card, "DCIM")]);
        execFileSync("mount", ["--bind", join(another, "a"), join(rig.card, "c")]);
        try {
          const order = rig.order(["DCIM/a", "c"].map((path) => listed(path, "hello")));
          await rig.leave(order);
          const report = await rig.carryOut(order.nonce);
          assert.deepEqual(
            [report?.removed, report?.kept.map(({ why }) => why), report?.left],
            [[], ["not-a-file", "not-a-file"], 0],
          );
          assert.equal(await readFile(join(another, "a"), "utf8"), "hello");
        } finally {
          execFileSync("umount", [join(rig.card, "DCIM"), join(rig.card, "c")]);
        }
      },
    );

    itWithOwnMounts(
      url,
      "leaves the dock's view of a card read-only while its own is writable",
      async () => {
        await using folder = await temporaryFolder();
        const at = join(folder.path, "card");
        await mkdir(at);
        await using _ = mountMemory(at);
        const script = `mount -o remount,rw ${at} && touch ${at}/mine`;
        execFileSync("unshare", ["--mount", "sh", "-c", script]);
        assert.deepEqual(await readdir(at), ["mine"]);
        await assert.rejects(writeFile(join(at, "file"), ""), { code: "EROFS" });
      },
    );

    if (loopsWithFat())
      itWithOwnMounts(url, "mounts a FAT card for the daemon alone, its times in UTC", async () => {
        await using folder = await temporaryFolder();
        const image = join(folder.path, "image");
        const at = join(folder.path, "card");
        await mkdir(at);
        execFileSync("truncate", ["-s", "8M", image]);
        execFileSync("mkfs.vfat", ["-i", "1a2b3c4d", image]);
        const loop = execFileSync("losetup", ["-f", "--show", image], { encoding: "utf8" }).trim();
        try {
          await mounts.mount(loop.slice("/dev/".length), "vfat", at);
          assert.equal((await stat(at)).mode & 0o777, 0o500);
        } finally {
          await mounts.unmount(at);
          execFileSync("losetup", ["-d", loop]);
        }
      });
  }
});
