import assert from "node:assert/strict";
import { chmod, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { alone } from "../daemon/helper/alone.ts";
import { putAway } from "../daemon/helper/put-away.ts";
import { parseVolume } from "../daemon/helper/volume.ts";
import { readCardRecords } from "../drivers/bodycam/card-record.ts";
import { newNodeKeyPem, parseNodeKey, verifierText } from "../storage/ledger/note.ts";
import { exfatSector, fat16Sector, fat32Sector, partitionTable } from "./fakes/boot-sectors.ts";
import { dockedRig, type HelperRig, openHelperRig } from "./fakes/helper-rig.ts";

const owner = process.getuid?.() ?? 0;

describe("the first sector of a card", () => {
  it("tells kind, serial and label of FAT12/16, FAT32 and exFAT, and takes no partition table for one", () => {
    const serial = "1A2B-3C4D";
    assert.deepEqual(parseVolume(fat32Sector(0x1a2b3c4d, "BODYCAM")), {
      kind: "vfat",
      serial,
      label: "BODYCAM",
    });
    assert.deepEqual(parseVolume(fat16Sector(0x1a2b3c4d)), { kind: "vfat", serial, label: null });
    assert.deepEqual(parseVolume(exfatSector(0x0000000f)), {
      kind: "exfat",
      serial: "0000-000F",
      label: null,
    });
    assert.equal(parseVolume(partitionTable()), undefined);
    assert.equal(parseVolume(fat32Sector(1).subarray(0, 511)), undefined);
    const unnamed = fat32Sector(1);
    unnamed.writeUInt8(0, 66);
    assert.deepEqual(parseVolume(unnamed), { kind: "vfat", serial: null, label: null });
  });

  it("may be anything: what is read of it is nothing, or plain text", () => {
    const plain = /^[\x20-\x7e]{1,11}$/;
    const valid = [fat32Sector(1), fat16Sector(1), exfatSector(1)];
    const changes = fc.array(fc.tuple(fc.nat(511), fc.nat(255)), { maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...valid), changes, (sector, written) => {
        const bytes = Buffer.from(sector);
        for (const [at, value] of written) bytes[at] = value;
        const volume = parseVolume(bytes);
        if (volume?.serial) assert.match(volume.serial, /^[0-9A-F]{4}-[0-9A-F]{4}$/);
        if (volume?.label) assert.match(volume.label, plain);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a card that udev tells of", () => {
  it("is mounted read-only when it is a paired camera's, with a record that the daemon believes", async () => {
    await using rig = await openHelperRig();
    await rig.plug("3", "sdb");
    await rig.pair({});
    const record = await rig.takeUp("sdb1");
    assert.deepEqual(rig.mounts.asked, ["open", "unmount", "mount vfat", "open"]);
    const rules = { owner, media: rig.places.media, refused: assert.fail };
    assert.deepEqual(await readCardRecords(rig.places.cards, rules), [record]);
    const { number, slot, mountedAt, refused, volume } = record ?? {};
    assert.deepEqual(
      { number, slot, mountedAt, refused, serial: volume?.serial },
      {
        number: "bc-0101",
        slot: "0000:00:14.0/2.3",
        mountedAt: rig.card,
        refused: null,
        serial: "1A2B-3C4D",
      },
    );
  });

  it("may have the longest serial that USB can give, all of it what could steer a terminal", async () => {
    await using rig = await openHelperRig();
    const shown = "\\xe2\\x80\\xae".repeat(126);
    await rig.plug("3", "sdb", "\u202E".repeat(126));
    await rig.pair({ serial: shown });
    const record = await rig.takeUp("sdb1");
    assert.deepEqual([record?.serial, record?.refused], [shown, null]);
    const rules = { owner, media: rig.places.media, refused: assert.fail };
    assert.deepEqual(await readCardRecords(rig.places.cards, rules), [record]);
  });

  it("is never mounted when it is not in a list that core signed and core alone can write", async () => {
    await using rig = await openHelperRig();
    await rig.plug("3", "sdb");
    const unpaired = async (): Promise<void> => {
      assert.equal((await rig.takeUp("sdb1"))?.refused, "unpaired");
    };
    await unpaired();
    for (const other of [
      { serial: "X" },
      { serial: null },
      { volume: "0000-0000" },
      { product: "ffff" },
    ]) {
      await rig.pair(other);
      await unpaired();
    }
    await rig.pair({});
    await chmod(join(rig.places.state, "paired.note"), 0o660);
    await unpaired();
    await chmod(join(rig.places.state, "paired.note"), 0o600);
    const stranger = parseNodeKey(rig.key.name, newNodeKeyPem());
    await writeFile(rig.places.verifier, verifierText(stranger));
    await rm(join(rig.places.cards, "sdb1.json"));
    await assert.rejects(rig.takeUp("sdb1"), { code: "ORDER_REFUSED" });
    // So that it is looked at again when there is a list to trust.
    assert.match(
      await readFile(join(rig.places.cards, "sdb1.json"), "utf8"),
      /"refused":"unpaired"/,
    );
    assert.ok(!rig.mounts.asked.some((what) => what.startsWith("mount")));
  });

  it("is mounted by none of two that look the same, and the first is taken away again", async () => {
    await using rig = await openHelperRig();
    await rig.pair({});
    await rig.plug("3", "sdb");
    await rig.plug("4", "sdc");
    assert.equal((await rig.takeUp("sdb1"))?.refused, null);
    assert.equal((await rig.takeUp("sdc1"))?.refused, "same-identity");
    const rules = { owner, media: rig.places.media, refused: assert.fail };
    const records = await readCardRecords(rig.places.cards, rules);
    assert.deepEqual(
      records.map(({ refused, number }) => [refused, number]),
      [
        ["same-identity", null],
        ["same-identity", null],
      ],
    );
    assert.deepEqual(await readdir(rig.places.media), []);
    await rig.tree.unplug("1-2.3");
    assert.equal((await rig.takeUp("sdc1"))?.refused, null, "its twin has gone");
  });

  it("is told of by one helper at a time: each of two that look the same writes of both", async () => {
    await using rig = await openHelperRig();
    await rig.pair({});
    await rig.plug("3", "sdb");
    const names = async (): Promise<readonly string[]> => readdir(rig.places.cards).catch(() => []);
    const another = await alone(rig.places.cards);
    const taken = rig.takeUp("sdb1");
    // It has looked, mounted, and looked again.
    while (rig.mounts.asked.filter((what) => what === "open").length < 2) await names();
    for (let look = 0; look < 200; look += 1) assert.deepEqual(await names(), []);
    await another[Symbol.asyncDispose]();
    assert.equal((await taken)?.refused, null);
    const yetAnother = await alone(rig.places.cards);
    const gone = putAway(rig.mounts, rig.places, "sdb1");
    while ((await readdir(rig.places.media)).length > 0) await names();
    for (let look = 0; look < 200; look += 1) assert.deepEqual(await names(), ["sdb1.json"]);
    await yetAnother[Symbol.asyncDispose]();
    await gone;
    assert.deepEqual(await names(), []);
  });

  it("is not mounted for another that came under its name and number while it was looked at", async () => {
    const swaps: Record<string, (rig: HelperRig) => Promise<void>> = {
      "in its slot": (rig) => rig.plug("3", "sdb", "STRANGER"),
      "in its slot, looking the same": async (rig) => {
        await rig.plug("3", "sdb");
        const folder = await realpath(join(rig.places.sys, "bus/usb/devices/1-2.3"));
        await writeFile(join(folder, "devnum"), "99\n");
      },
      "in another, of another bus that gave it the same address": async (rig) => {
        await rig.plug("4", "sdb");
        const folder = await realpath(join(rig.places.sys, "bus/usb/devices/1-2.4"));
        await writeFile(join(folder, "devnum"), "13\n");
      },
      "with another card": async (rig) => {
        await rig.plug("3", "sdb");
        await writeFile(join(rig.places.dev, "sdb1"), fat32Sector(0x99999999));
      },
      "with a second partition by now": async (rig) => {
        await rig.tree.plug({ at: "1-2.3", address: 13, serial: "AXON-1" });
        const partitions = [rig.device, "8:99"].map((device, index) => ({
          number: index + 1,
          device,
          sectors: 2048,
        }));
        const disk = { at: "1-2.3", name: "sdb", device: "8:3", sectors: 4096, partitions };
        await rig.tree.disk(disk);
      },
      "and it has gone": async () => undefined,
    };
    for (const [what, swap] of Object.entries(swaps)) {
      await using rig = await openHelperRig();
      await rig.pair({});
      await rig.plug("3", "sdb");
      rig.mounts.before = async (asked) => {
        if (!asked.startsWith("mount")) return;
        await rig.tree.unplug("1-2.3");
        await swap(rig);
      };
      const record = await rig.takeUp("sdb1");
      assert.deepEqual([record?.refused, record?.mountedAt], ["mount-failed", null], what);
      assert.deepEqual(await readdir(rig.places.media), [], what);
    }
  });

  it("stays mounted when it is looked at once more, and only then", async () => {
    await using rig = await dockedRig();
    const before = await readFile(join(rig.places.cards, "sdb1.json"), "utf8");
    rig.clock.at = "2026-11-29T12:02:00.000Z";
    const again = await rig.takeUp("sdb1");
    assert.deepEqual([`${JSON.stringify(again)}\n`, rig.mounts.asked], [before, ["open"]]);
    assert.equal(await readFile(join(rig.places.cards, "sdb1.json"), "utf8"), before);
    // Nothing is mounted there any more; then another camera is.
    await rig.mounts.unmount(rig.card);
    assert.equal((await rig.takeUp("sdb1"))?.mountedAt, rig.card);
    await rig.tree.unplug("1-2.3");
    await rig.plug("4", "sdb");
    assert.equal((await rig.takeUp("sdb1"))?.slot, "0000:00:14.0/2.4");
    assert.equal(rig.mounts.asked.filter((what) => what === "mount vfat").length, 2);
  });

  it("is refused when two numbers have its looks, when it has more than one partition, or an unknown file system", async () => {
    await using rig = await openHelperRig();
    await rig.plug("3", "sdb");
    await rig.pair({}, { number: "bc-0102" });
    assert.equal((await rig.takeUp("sdb1"))?.refused, "same-identity");
    await rig.pair({});
    await writeFile(join(rig.places.dev, "sdb1"), partitionTable());
    assert.equal((await rig.takeUp("sdb1"))?.refused, "unknown-file-system");
    const two = [1, 2].map((number) => ({ number, device: `8:4${number}`, sectors: 9 }));
    await rig.tree.plug({ at: "1-2.5", address: 15 });
    await rig.tree.disk({ at: "1-2.5", name: "sdd", device: "8:40", sectors: 99, partitions: two });
    await writeFile(join(rig.places.dev, "sdd1"), fat32Sector(1));
    assert.equal((await rig.takeUp("sdd1"))?.refused, "not-one-partition");
    assert.equal(await rig.takeUp("sdd"), undefined, "its partitions are told of themselves");
    assert.equal(await rig.takeUp("sde1"), undefined, "not on USB");
  });

  it("may have no partition table", async () => {
    await using rig = await openHelperRig();
    await rig.pair({});
    await rig.tree.plug({ at: "1-2.3", serial: "AXON-1" });
    await rig.tree.disk({ at: "1-2.3", name: "sdb", device: "8:16", sectors: 99, readOnly: true });
    await writeFile(join(rig.places.dev, "sdb"), fat32Sector(0x1a2b3c4d));
    rig.mounts.mount = () => Promise.resolve();
    const record = await rig.takeUp("sdb");
    assert.deepEqual([record?.refused, record?.readOnly, record?.bytes], [null, true, 99 * 512]);
  });

  it("that cannot be mounted says so, and leaves no folder", async () => {
    await using rig = await openHelperRig();
    await rig.plug("3", "sdb");
    await rig.pair({});
    rig.mounts.mount = (name) => rig.mounts.remount(name, "ro");
    const { BewaardError } = await import("#base/errors");
    rig.mounts.before = (what) => {
      if (what === "ro") throw new BewaardError("CARD_MOUNT", "no such file system");
    };
    assert.equal((await rig.takeUp("sdb1"))?.refused, "mount-failed");
    assert.ok(!(await readdir(rig.places.media)).includes("sdb1"));
  });

  it("that has gone leaves neither record nor folder, also when it is told twice", async () => {
    await using rig = await dockedRig();
    for (let time = 0; time < 2; time += 1) {
      await putAway(rig.mounts, rig.places, "sdb1");
      assert.deepEqual(await readdir(rig.places.cards), []);
      assert.deepEqual(await readdir(rig.places.media), []);
    }
  });
});
