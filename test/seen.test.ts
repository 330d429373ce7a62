import assert from "node:assert/strict";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { type NodeId, parseDeviceId, parseNodeId } from "#base/ids";
import { DAY_MS, dayOf, HOUR_MS, instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { readSeen, signSeen } from "../daemon/desk/seen-list.ts";
import { openStation, type Station } from "../daemon/desk/station.ts";
import { writeSeen } from "../daemon/desk/write-seen.ts";
import { followSeen } from "../daemon/follow-seen.ts";
import { hashedPath } from "../storage/catalog/card-path.ts";
import { recordSeen, seenElsewhere } from "../storage/catalog/seen.ts";
import { textBody } from "../storage/vault/body.ts";
import { seenKey } from "../storage/vault/keys.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { CAMERA, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { turns } from "./fakes/turns.ts";

const NAME = named(-30);
const FILE = { path: Buffer.from(NAME), bytes: 5, modifiedAt: plus(START, -30 * MINUTE_MS) };
const OTHER = parseNodeId("dock-2");

/** A site whose box has one file of a camera in the vault, under a signed head. */
async function openKept(): Promise<Site> {
  const site = await openSite(START, [CAMERA], 3);
  const clip = join(site.demo.docks[CAMERA] ?? "", NAME);
  await mkdir(dirname(clip), { recursive: true });
  await writeFile(clip, "beeld");
  await utimes(clip, FILE.modifiedAt / 1000, FILE.modifiedAt / 1000);
  await whileRunning(site, async (ask, signal) => {
    const kept = async () =>
      (await ask("status", {})).states["stored"] === 1 &&
      (await ask("status", {})).checkpoint?.publishedAt != null;
    assert.ok(await passUntil(site.clock, 5 * SECOND_MS, 3 * HOUR_MS, kept, signal));
    // The head that tells of it.
    await site.clock.pass(2 * HOUR_MS, signal);
  });
  return site;
}

/** One look of a box named `node` at what the site's desk wrote. */
async function follow(rig: Rig, site: Site, station: Station, node: NodeId): Promise<void> {
  rig.clock.jump(site.clock.now() - rig.clock.now());
  const turn = turns(rig.clock, 1);
  const { config } = site.demo;
  const desk = { site: config.site.name, signersPath: config.desk_signers };
  const { events, database } = rig;
  await followSeen(turn.clock, events, database, station.vault, node, desk, turn.signal);
}

async function isSeen(rig: Rig, file = FILE, camera = CAMERA): Promise<boolean | undefined> {
  return (await seenElsewhere(rig.database, camera, [file], rig.clock.now()))[0];
}

describe("the desk's list of files that boxes took (desk/seen)", function () {
  this.timeout(90_000);

  it("makes a file of another box known, by camera, path, length and time of change", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    const written = await writeSeen(site.clock, station, NEVER);
    assert.deepEqual([written.files, written.leftOut, written.unread], [1, 0, []]);
    await using rig = await openRig();
    assert.equal(await isSeen(rig), false);
    await follow(rig, site, station, OTHER);
    assert.ok(rig.said.includes("seen-read"));
    assert.equal(await isSeen(rig), true);
    assert.equal(await isSeen(rig, { ...FILE, path: Buffer.from(named(1)) }), false);
    assert.equal(await isSeen(rig, { ...FILE, bytes: 6 }), false);
    assert.equal(await isSeen(rig, { ...FILE, modifiedAt: START }), false);
    assert.equal(await isSeen(rig, FILE, parseDeviceId("bc-0102")), false);
    // Past its term it is taken, and destroyed: nobody else would remove it from the card.
    rig.clock.move(28 * DAY_MS);
    assert.equal(await isSeen(rig), false);
  });

  it("says nothing to the box that has the file: its own catalog does", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    await writeSeen(site.clock, station, NEVER);
    await using rig = await openRig();
    await follow(rig, site, station, site.demo.config.node);
    assert.equal(await isSeen(rig), false);
  });

  it("leaves out what the vault does not have: a box that dies with its disk has nothing (invariant 1)", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    const { vault } = station;
    for await (const { key, versionId } of vault.list("footage/dock-1/", NEVER))
      await vault.destroy(key, versionId);
    assert.equal((await writeSeen(site.clock, station, NEVER)).files, 0);
  });

  it("is not believed for another day or site, nor unsigned, nor signed by a stranger", async () => {
    await using site = await openSite(START, [CAMERA], 3);
    await using station = await openStation(site.demo.desk);
    const { config } = station;
    const day = dayOf(START);
    const file = {
      node: "dock-2",
      device: CAMERA,
      path: hashedPath(CAMERA, FILE.path),
      bytes: 5,
      modifiedAt: FILE.modifiedAt,
      sha256: "0".repeat(64),
      dueAt: plus(START, DAY_MS),
    };
    const list = { site: config.site, day, by: config.person, files: [file] };
    const good = await signSeen(list, config.sign_key);
    const bad: Readonly<Record<string, string>> = {
      "2026-05-31": good,
      "2026-05-30": await signSeen({ ...list, day: "2026-05-30", site: "elders" }, config.sign_key),
      "2026-05-29": await signSeen({ ...list, day: "2026-05-29", by: "p-09" }, config.sign_key),
      "2026-05-28": (await signSeen({ ...list, day: "2026-05-28" }, config.sign_key)).replace(
        '"dock-2"',
        '"dock-3"',
      ),
      "2026-05-27": "{}\n",
    };
    const { name } = site.demo.config.site;
    const read = (one: string) =>
      readSeen(station.vault, name, site.demo.config.desk_signers, one, NEVER);
    for (const [one, object] of Object.entries(bad)) {
      await station.vault.put(seenKey(one), textBody(object), FREELY, NEVER);
      await assert.rejects(read(one), { code: "DESK_TAMPERED" }, one);
    }
    await using rig = await openRig();
    await follow(rig, site, station, parseNodeId("dock-1"));
    assert.ok(rig.said.includes("seen-refused"));
    assert.equal(await isSeen(rig), false);
    await station.vault.put(seenKey(day), textBody(good), FREELY, NEVER);
    assert.equal((await read(day))?.files.length, 1);
    await follow(rig, site, station, parseNodeId("dock-1"));
    assert.equal(await isSeen(rig), true);
  });

  it("is one a day", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    await writeSeen(site.clock, station, NEVER);
    await writeSeen(site.clock, station, NEVER);
    const { vault } = station;
    for await (const { key, versionId } of vault.list("footage/dock-1/", NEVER))
      await vault.destroy(key, versionId);
    await assert.rejects(writeSeen(site.clock, station, NEVER), { code: "DESK_INPUT" });
  });

  it("is taken in at once, a hundred thousand files of it", async () => {
    await using rig = await openRig();
    const files = Array.from({ length: 100_000 }, (_, index) => ({
      node: "dock-2",
      device: CAMERA,
      path: index.toString(16).padStart(32, "0"),
      bytes: index,
      modifiedAt: instant(START - index),
      sha256: "0".repeat(64),
      dueAt: plus(START, DAY_MS),
    }));
    await recordSeen(rig.database, "2026-06-01", files);
    assert.equal(await isSeen(rig), false);
  });
});
