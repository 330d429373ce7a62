import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type HoldId, parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { type Clock, DAY_MS, plus } from "#base/time";
import { readPolicy } from "../config/load.ts";
import { holdFootage } from "../daemon/desk/hold.ts";
import { listDeskHolds, setAllHolds } from "../daemon/desk/list-holds.ts";
import { releaseHold } from "../daemon/desk/release.ts";
import { appendEntry, openStation, type Station } from "../daemon/desk/station.ts";
import { heeder } from "../daemon/heed.ts";
import { textBody } from "../storage/vault/body.ts";
import { deskKey, footageKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { NEVER, openRig, START } from "./fakes/rig.ts";
import { openSite, type Site } from "./fakes/site.ts";

const ID = parseSegmentId("01J00000000000000000000001");

interface Desk extends AsyncDisposable {
  readonly site: Site;
  readonly station: Station;
  /** Asks to hold the footage that is in the vault. */
  hold(station?: Station, id?: SegmentId): Promise<HoldId>;
  isHeld(): Promise<boolean>;
}

async function openDesk(demo: boolean): Promise<Desk> {
  const site = await openSite(START, ["bc-0101"], 3);
  const opened = await openStation(site.demo.desk);
  const station = { ...opened, config: { ...opened.config, demo } };
  const { node } = site.demo.config;
  const key = footageKey(node, parseDeviceId("bc-0101"), START, ID);
  const version = await station.vault.put(key, textBody("beeld"), FREELY, NEVER);
  const policy = { ...(await readPolicy("den-haag")), separate_copy: false };
  const request = {
    incident: "2026-1",
    purpose: "aangifte",
    ground: "aangifte",
    reference: "PL-1",
    reason: "test",
    reviewAt: plus(START, 60 * DAY_MS),
  };
  return {
    site,
    station,
    hold: async (by = station, id = ID) => {
      const asked = { ...request, segments: [{ node, id }] };
      return (await holdFootage(site.clock, by, policy, asked, NEVER)).hold;
    },
    isHeld: () => opened.vault.isHeld(key, version),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

describe("what a desk lifts in the vault (invariants 4, 12)", () => {
  it("is nothing that one person released, on a site that is no demo: boxes refuse that too", async () => {
    await using desk = await openDesk(false);
    const { station, site } = desk;
    const hold = await desk.hold();
    // Not by our program, which refuses it.
    await appendEntry(site.clock, station, { kind: "release", hold }, NEVER);
    assert.deepEqual(await setAllHolds(station, NEVER), { held: 1, lifted: 0 });
    assert.equal(await desk.isHeld(), true);
    assert.equal((await listDeskHolds(station, NEVER)).holds[0]?.state, "requested");
  });

  it("is nothing that was released by an entry put after it had expired", async () => {
    await using desk = await openDesk(true);
    const { station, site } = desk;
    const hold = await desk.hold();
    const later: Clock = { ...site.clock, now: () => plus(START, 3 * DAY_MS) };
    await appendEntry(later, station, { kind: "release", hold: await desk.hold() }, NEVER);
    await appendEntry(site.clock, station, { kind: "release", hold }, NEVER);
    assert.deepEqual(await setAllHolds(station, NEVER), { held: 1, lifted: 0 });
    assert.equal(await desk.isHeld(), true);
  });

  it("stays held where another desk came to hold it in the same moment", async () => {
    await using desk = await openDesk(true);
    const { station, site } = desk;
    const hold = await desk.hold();
    let others = 0;
    const vault: Vault = {
      ...station.vault,
      async setHold(key, versionId, held) {
        if (!held && (others += 1) === 1) await desk.hold();
        await station.vault.setHold(key, versionId, held);
      },
    };
    await releaseHold(site.clock, { ...station, vault }, hold, NEVER);
    assert.equal(others, 1);
    assert.equal(await desk.isHeld(), true);
  });
});

describe("a hold before an entry that nobody signed (invariant 4)", () => {
  it("is set in the vault all the same, and in force", async () => {
    await using desk = await openDesk(true);
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const { site, station } = desk;
    await desk.hold(station, id);
    await station.vault.put(deskKey(3), textBody("junk"), FREELY, NEVER);
    const { clock, events, database, vault, box } = rig;
    // The chain is the desk's, the footage is the rig's.
    const both: Vault = {
      ...vault,
      read: (...asked) => (asked[0].startsWith("desk/") ? station.vault : vault).read(...asked),
      versions: (key) => (key.startsWith("desk/") ? station.vault : vault).versions(key),
    };
    const { desk_signers: signersPath, site: named } = site.demo.config;
    const of = { site: named.name, signersPath, demo: true, separate: false };
    const heed = heeder(clock, events, database, both, box.node, of);
    assert.equal(await heed(clock.now(), NEVER), false);
    const holds = await rig.database.transaction((sql) =>
      sql.all("select in_force_at_ms is not null as in_force from hold"),
    );
    assert.deepEqual(holds, [{ in_force: 1 }]);
  });
});
