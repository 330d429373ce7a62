import assert from "node:assert/strict";
import promises, { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import type { StartServing } from "../daemon/helper/jmtpfs.ts";
import { takeUpMtp } from "../daemon/helper/mtp.ts";
import { putAway } from "../daemon/helper/put-away.ts";
import { readCardRecords } from "../drivers/bodycam/card-record.ts";
import { type HelperRig, openHelperRig } from "./fakes/helper-rig.ts";
import { listed } from "./fakes/orders.ts";

const owner = process.getuid?.() ?? 0;
const NAME = "mtp-001-013";
const CAMERA = { serial: "BC-0005", volume: null };
const LARGEST = 1000;

interface MediaRig extends HelperRig {
  readonly start: StartServing & { serves: string[]; before: () => Promise<void> | void };
  /** Puts a camera that speaks MTP into a port. */
  plugMtp(port: string, serial?: string): Promise<void>;
  takeUpMtp(name?: string, start?: StartServing): ReturnType<typeof takeUpMtp>;
}

/** The files of a media device are a folder that is moved to where they are served. */
async function openMediaRig(): Promise<MediaRig> {
  const rig = await openHelperRig();
  const content = join(rig.root, "content");
  const start: MediaRig["start"] = {
    largest: LARGEST,
    serves: [],
    before: () => undefined,
    async serve({ bus, address }, at) {
      await start.before();
      const name = `mtp-00${bus}-0${address}`;
      await mkdir(join(content, name, "Internal", "DCIM"), { recursive: true });
      await rename(join(content, name), at);
      start.serves.push(name);
      const end = Promise.withResolvers<void>();
      const stop = async (): Promise<void> => {
        start.serves.splice(start.serves.indexOf(name), 1);
        end.resolve();
      };
      return { ended: end.promise, stop };
    },
  };
  return {
    ...rig,
    start,
    plugMtp: (port, serial = CAMERA.serial) =>
      rig.tree.plug({
        at: `1-2.${port}`,
        address: 10 + Number(port),
        serial,
        interfaces: [{ codes: "060101" }],
      }),
    takeUpMtp: (name = NAME, by = start) => takeUpMtp(rig.clock, rig.mounts, by, rig.places, name),
  };
}

async function served(): Promise<MediaRig> {
  const rig = await openMediaRig();
  await rig.plugMtp("3");
  await rig.pair(CAMERA);
  assert.equal((await rig.takeUpMtp())?.record.refused, null);
  return rig;
}

/** As a device that says that it removed a file. */
function removesNothing(): Disposable {
  const real = promises.unlink;
  promises.unlink = async () => undefined;
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      promises.unlink = real;
      syncBuiltinESMExports();
    },
  };
}

const putInto = async (rig: MediaRig, name: string, text: string): Promise<void> =>
  writeFile(join(rig.places.media, NAME, "Internal/DCIM", name), text);

describe("a media device that udev tells of", () => {
  it("is not even opened until it is paired; then its files are served, with a record that the daemon believes (DH-01)", async () => {
    await using rig = await openMediaRig();
    await rig.plugMtp("3");
    assert.equal((await rig.takeUpMtp())?.record.refused, "unpaired");
    await rig.pair({ ...CAMERA, serial: "BC-0006" });
    assert.equal((await rig.takeUpMtp())?.record.refused, "unpaired");
    assert.deepEqual(rig.start.serves, []);
    await rig.pair(CAMERA);
    const taken = await rig.takeUpMtp();
    assert.ok(taken?.serving);
    const rules = { owner, media: rig.places.media, refused: assert.fail };
    assert.deepEqual(await readCardRecords(rig.places.cards, rules), [taken.record]);
    const { number, slot, device, volume, largest, mountedAt } = taken.record;
    assert.deepEqual(
      { number, slot, device, volume, largest, mountedAt },
      {
        number: "bc-0101",
        slot: "0000:00:14.0/2.3",
        device: "189:12",
        volume: { kind: "mtp", serial: null, label: null },
        largest: LARGEST,
        mountedAt: join(rig.places.media, NAME),
      },
    );
  });

  it("is looked for by its numbers on USB: a disk, a device that is both, and one that has gone are none", async () => {
    await using rig = await openMediaRig();
    await rig.pair(CAMERA);
    await rig.plug("4", "sdb");
    assert.equal(await rig.takeUpMtp("mtp-001-014"), undefined);
    assert.equal(await rig.takeUpMtp("mtp-001-099"), undefined);
    await assert.rejects(rig.takeUpMtp("sdb1"));
  });

  it("is served by none of two that look the same, and the first is taken away again (DH-01)", async () => {
    await using rig = await served();
    await rig.plugMtp("4");
    const second = await rig.takeUpMtp("mtp-001-014");
    assert.deepEqual([second?.record.refused, second?.serving], ["same-identity", undefined]);
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
    assert.deepEqual(
      rig.start.serves,
      [NAME],
      "the first ends by itself once nothing of it is mounted",
    );
  });

  it("that cannot be served says so, and leaves no folder; without jmtpfs it says that", async () => {
    await using rig = await openMediaRig();
    await rig.plugMtp("3");
    await rig.pair(CAMERA);
    rig.start.before = () => {
      throw new BewaardError("CARD_MOUNT", "no storage appears");
    };
    assert.equal((await rig.takeUpMtp())?.record.refused, "mount-failed");
    assert.deepEqual(await readdir(rig.places.media), []);
    const none = await takeUpMtp(rig.clock, rig.mounts, undefined, rig.places, NAME);
    assert.deepEqual([none?.record.refused, none?.serving], ["no-program", undefined]);
    await rig.pair({ ...CAMERA, serial: "BC-0006" });
    const other = await takeUpMtp(rig.clock, rig.mounts, undefined, rig.places, NAME);
    assert.equal(other?.record.refused, "unpaired", "it can be paired before jmtpfs is there");
  });

  it("that was exchanged while its files came is not taken for the one that was looked at", async () => {
    await using rig = await openMediaRig();
    await rig.plugMtp("3");
    await rig.pair(CAMERA);
    rig.start.before = () => rig.tree.unplug("1-2.3");
    assert.equal((await rig.takeUpMtp())?.record.refused, "mount-failed");
    assert.deepEqual(rig.start.serves, []);
  });

  it("that has gone leaves neither record nor folder, also when it is told twice", async () => {
    await using rig = await served();
    for (let time = 0; time < 2; time += 1) {
      await putAway(rig.mounts, rig.places, NAME);
      assert.deepEqual(await readdir(rig.places.cards), []);
      assert.deepEqual(await readdir(rig.places.media), []);
    }
  });
});

describe("an order for a media device", () => {
  const bound = { name: NAME, device: "189:12", volume: null };

  it("has what still matches removed, after it was fetched a second time, and nothing else", async () => {
    await using rig = await served();
    await putInto(rig, "a.mp4", "hello");
    await putInto(rig, "b.mp4", "HELLO");
    await putInto(rig, "c.mp4", "other");
    const files = [listed("Internal/DCIM/a.mp4", "hello"), listed("Internal/DCIM/b.mp4", "hello")];
    const order = rig.order(files, bound);
    await rig.leave(order);
    rig.mounts.asked.length = 0;
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual([report?.outcome, report?.removed, report?.left], ["done", [0], 2]);
    assert.deepEqual(report?.kept, [{ index: 1, why: "changed" }]);
    assert.deepEqual(rig.mounts.asked, ["rw", "fetch again", "fetch again", "settle", "ro"]);
    const left = await readdir(join(rig.places.media, NAME, "Internal/DCIM"));
    assert.deepEqual(left.toSorted(), ["b.mp4", "c.mp4"]);
  });

  it("is refused where it asks for more than removing, and for another device than the one that is in", async () => {
    await using rig = await served();
    await putInto(rig, "a.mp4", "hello");
    const files = [listed("Internal/DCIM/a.mp4", "hello")];
    for (const [index, [change, why]] of (
      [
        [{ how: "overwrite" }, "not-a-disk"],
        [{ device: "189:13" }, "other-device"],
        [{ slot: "0000:00:14.0/2.4" }, "other-slot"],
        [{ volume: "1A2B-3C4D" }, "other-volume"],
      ] as const
    ).entries()) {
      const order = rig.order(files, { ...bound, ...change, nonce: `${index}`.repeat(32) });
      await rig.leave(order);
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.outcome, report?.why], ["refused", why]);
    }
    await rig.tree.unplug("1-2.3");
    const gone = rig.order(files, { ...bound, nonce: "f".repeat(32) });
    await rig.leave(gone);
    assert.equal((await rig.carryOut(gone.nonce))?.why, "not-docked");
    assert.deepEqual(
      rig.mounts.asked.filter((what) => what === "rw"),
      [],
    );
  });

  it("is refused where nothing is served in its place: that is a folder of this machine", async () => {
    await using rig = await served();
    await putInto(rig, "a.mp4", "hello");
    rig.mounts.programAt = async () => undefined;
    const order = rig.order([listed("Internal/DCIM/a.mp4", "hello")], bound);
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.why, "not-docked");
  });

  it("says of a file that is still there after it was removed that it was not", async () => {
    await using rig = await served();
    await putInto(rig, "a.mp4", "hello");
    const order = rig.order([listed("Internal/DCIM/a.mp4", "hello")], bound);
    await rig.leave(order);
    using _ = removesNothing();
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual(report?.kept, [{ index: 0, why: "not-removed" }]);
    assert.deepEqual([report?.removed, report?.left], [[], 1]);
  });
});
