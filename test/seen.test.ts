import assert from "node:assert/strict";
import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { type NodeId, parseDeviceId, parseNodeId } from "#base/ids";
import {
  type Clock,
  DAY_MS,
  dayOf,
  HOUR_MS,
  instant,
  MINUTE_MS,
  plus,
  SECOND_MS,
} from "#base/time";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { readLedger } from "../daemon/desk/read-ledger.ts";
import { readSeen, signSeen } from "../daemon/desk/seen-list.ts";
import { openStation, type Station } from "../daemon/desk/station.ts";
import { writeSeen } from "../daemon/desk/write-seen.ts";
import { followSeen } from "../daemon/follow-seen.ts";
import { hashedPath } from "../storage/catalog/card-path.ts";
import { recordSeen, seenElsewhere } from "../storage/catalog/seen.ts";
import { textBody } from "../storage/vault/body.ts";
import { seenKey } from "../storage/vault/keys.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { rowsOf } from "./fakes/medium.ts";
import { CAMERA, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { turns } from "./fakes/turns.ts";

const NAME = named(-30);
const FILE = { path: Buffer.from(NAME), bytes: 5, modifiedAt: plus(START, -30 * MINUTE_MS) };
const OTHER = parseNodeId("dock-2");

/** A site whose box has one file of a camera in the vault, under a signed head. */
async function openKept(): Promise<Site> {
  const site = await openSite(START, [CAMERA], 3);
  await keep(site, NAME, 1);
  return site;
}

/** Lets the box take one more file, until it has so many and a head tells of it. */
async function keep(site: Site, name: string, count: number): Promise<void> {
  const clip = join(site.demo.docks[CAMERA] ?? "", name);
  await mkdir(dirname(clip), { recursive: true });
  await writeFile(clip, `beeld${count === 1 ? "" : count}`);
  await utimes(clip, FILE.modifiedAt / 1000, FILE.modifiedAt / 1000);
  await whileRunning(site, async (ask, signal) => {
    const kept = async () => (await ask("status", {})).states["stored"] === count;
    assert.ok(await passUntil(site.clock, 5 * SECOND_MS, 3 * HOUR_MS, kept, signal));
    const told = async () => (await sealedIn(site)) === count;
    assert.ok(await passUntil(site.clock, MINUTE_MS, 3 * HOUR_MS, told, signal));
  });
}

/** How many files the newest signed head tells of; none while its entries are on their way. */
async function sealedIn(site: Site): Promise<number> {
  await using station = await openStation(site.demo.desk);
  const { vault, config } = station;
  let sealed = 0;
  try {
    await readLedger(vault, config.nodes, config.site, site.demo.config.node, NEVER, (body) => {
      if (body.includes('"kind":"segment.sealed"')) sealed += 1;
    });
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return 0;
  }
  return sealed;
}

/** The station's vault, and what was read and listed of ledgers and footage through it. */
function watched(station: Station): { readonly station: Station; readonly asked: string[] } {
  const asked: string[] = [];
  const { vault } = station;
  return {
    asked,
    station: {
      ...station,
      vault: {
        ...vault,
        read: (key, ...rest) => (asked.push(key), vault.read(key, ...rest)),
        list: (prefix, ...rest) => (asked.push(prefix), vault.list(prefix, ...rest)),
      },
    },
  };
}

/** The site's clock, so many days on. */
function later(site: Site, days: number): Clock {
  return { ...site.clock, now: () => plus(site.clock.now(), days * DAY_MS) };
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
    await rm(join(station.folder, "seen.json"));
    await assert.rejects(writeSeen(site.clock, station, NEVER), { code: "DESK_INPUT" });
  });

  it("goes on from where it was: reads what came since, and looks only for what it did not see before", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    assert.equal((await writeSeen(site.clock, station, NEVER)).files, 1);
    await keep(site, named(-20), 2);
    const first = watched(station);
    const second = await writeSeen(later(site, 1), first.station, NEVER);
    assert.equal(second.files, 2);
    const ledger = (asked: readonly string[]) =>
      asked.filter((key) => /entries\/\d/.test(key)).toSorted();
    const all: string[] = [];
    for await (const { key } of station.vault.list("ledger/dock-1/entries/", NEVER)) all.push(key);
    const read = ledger(first.asked);
    assert.ok(read.length > 0 && read.length < all.length, `${read.length} of ${all.length}`);
    assert.deepEqual(read, all.slice(-read.length));
    assert.ok(first.asked.includes(`footage/dock-1/${CAMERA}/2026/06/01/`));
    // Nothing new: nothing is read but the newest head, and no footage looked for.
    const again = watched(station);
    await writeSeen(later(site, 2), again.station, NEVER);
    assert.deepEqual(ledger(again.asked), []);
    assert.ok(!again.asked.some((key) => key.startsWith("footage/")));
  });

  it("reads all from its start where what it remembers is of another ledger, or is no memory", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    await writeSeen(site.clock, station, NEVER);
    const path = join(station.folder, "seen.json");
    const text = await readFile(path, "utf8");
    const other = text.replaceAll(/"hash":"[0-9a-f]{64}"/g, `"hash":"${"0".repeat(64)}"`);
    assert.notEqual(other, text);
    for (const [index, memory] of [other, "{}", "no memory"].entries()) {
      await writeFile(path, memory);
      const written = await writeSeen(later(site, index + 1), station, NEVER);
      assert.deepEqual([written.files, written.unread], [1, []]);
    }
  });

  it("does not stay: after a week nobody looks for it, and after its term no box remembers a file (DH-06)", async () => {
    await using site = await openKept();
    await using station = await openStation(site.demo.desk);
    await using rig = await openRig();
    const rows = () => rowsOf(rig, "select node from seen_file");
    await writeSeen(site.clock, station, NEVER);
    await follow(rig, site, station, OTHER);
    assert.equal((await rows()).length, 1);
    for (const days of [1, 8]) await writeSeen(later(site, days), station, NEVER);
    const lists = await Array.fromAsync(station.vault.list("desk/seen/", NEVER));
    assert.deepEqual(
      lists.map(({ key }) => key),
      [1, 8].map((days) => seenKey(dayOf(later(site, days).now()))),
    );
    // No newer list comes, and what the old one says is over.
    await site.clock.pass(35 * DAY_MS, NEVER);
    await follow(rig, site, station, OTHER);
    assert.deepEqual(await rows(), []);
    await writeSeen(site.clock, station, NEVER);
    assert.doesNotMatch(await readFile(join(station.folder, "seen.json"), "utf8"), /bc-0101/);
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
