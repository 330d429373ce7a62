import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemMounts } from "../daemon/helper/mounts.ts";
import { isThere } from "../drivers/bodycam/is-there.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { hasOwnMounts, itWithOwnMounts } from "./fakes/own-mounts.ts";

const VFAT = { kind: "vfat" };
const MTP = { kind: "mtp" };

/** A folder in place of a mounted card, and a sysfs that knows the file system it is on. */
async function mounted(): Promise<
  AsyncDisposable & { sys: string; mountedAt: string; device: string; known: string }
> {
  const folder = await temporaryFolder();
  const mountedAt = join(folder.path, "media/sdb1");
  const sys = join(folder.path, "sys");
  await mkdir(mountedAt, { recursive: true });
  // What the C library makes of it, not our own arithmetic.
  const [major, minor] = numbers(mountedAt);
  const device = `${major}:${minor}`;
  const known = join(sys, "dev/block", device);
  await mkdir(known, { recursive: true });
  const close = async (): Promise<void> => folder[Symbol.asyncDispose]();
  return { sys, mountedAt, device, known, [Symbol.asyncDispose]: close };
}

function numbers(path: string): string[] {
  return execFileSync("stat", ["--format=%Hd %Ld", path], { encoding: "utf8" }).trim().split(" ");
}

describe("a mounted card", () => {
  it("is there while the kernel knows its partition and that is what is mounted", async () => {
    await using card = await mounted();
    assert.ok(await isThere({ ...card, volume: VFAT }, card.sys));
  });

  it("is gone when the kernel does not know its partition any more, though it lists as empty", async () => {
    await using card = await mounted();
    await rm(card.known, { recursive: true });
    assert.deepEqual(await readdir(card.mountedAt), []);
    assert.ok(!(await isThere({ ...card, volume: VFAT }, card.sys)));
  });

  it("is gone when its mount is: the folder that stays behind is an empty one of this machine", async () => {
    await using card = await mounted();
    const device = "8:17";
    await mkdir(join(card.sys, "dev/block", device), { recursive: true });
    assert.ok(!(await isThere({ ...card, device, volume: VFAT }, card.sys)));
    await rm(card.mountedAt, { recursive: true });
    assert.ok(!(await isThere({ ...card, volume: VFAT }, card.sys)));
  });

  it("is not there when it never was mounted, or its record names no device", async () => {
    await using card = await mounted();
    assert.ok(!(await isThere({ ...card, mountedAt: null, volume: VFAT }, card.sys)));
    for (const device of ["", ".", "../block", "8:17/..", card.mountedAt])
      assert.ok(!(await isThere({ ...card, device, volume: VFAT }, card.sys)), device);
  });

  it("over MTP is there while its device is plugged in and something is mounted", async () => {
    await using card = await mounted();
    const device = "189:6";
    const plugged = { ...card, device, volume: MTP };
    assert.ok(!(await isThere(plugged, card.sys)));
    await mkdir(join(card.sys, "dev/char", device), { recursive: true });
    assert.ok(!(await isThere(plugged, card.sys)), "nothing is mounted there");
    // Of this machine: a file system of its own on every Linux.
    assert.ok(await isThere({ ...plugged, mountedAt: "/proc" }, card.sys));
    assert.ok(!(await isThere({ ...plugged, mountedAt: "/proc", device: "." }, card.sys)));
  });

  if (hasOwnMounts())
    itWithOwnMounts(
      import.meta.url,
      "over MTP is not there while it shows no storage: it is locked, and not empty",
      async () => {
        await using card = await mounted();
        const plugged = { ...card, device: "189:6", volume: MTP };
        await mkdir(join(card.sys, "dev/char/189:6"), { recursive: true });
        execFileSync("mount", ["-t", "tmpfs", "tmpfs", card.mountedAt]);
        assert.ok(!(await isThere(plugged, card.sys)));
        await mkdir(join(card.mountedAt, "Internal storage"));
        assert.ok(await isThere(plugged, card.sys));
        assert.equal(await systemMounts("/dev").programAt(card.mountedAt), undefined);
        execFileSync("umount", [card.mountedAt]);
      },
    );
});
