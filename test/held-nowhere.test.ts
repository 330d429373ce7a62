import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, parsePersonId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, plus } from "#base/time";
import { adopt } from "../daemon/adopt.ts";
import { heldNowhereAlarm } from "../daemon/alarms/held-nowhere.ts";
import { uploadLate } from "../daemon/alarms/upload-late.ts";
import { store } from "../daemon/store.ts";
import { confirmTime } from "../daemon/trust.ts";
import { countStates } from "../storage/catalog/due.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { check } from "../storage/check.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { createSpool, openSpool } from "../storage/spool/spool.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { publish, rebuilt } from "./fakes/rebuilt-rig.ts";
import { NEVER, named, openRig, type Rig, START, UPLOAD } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const HOLD = parseHoldId("01J00000000000000000000042");

async function hold(rig: Rig, segments: readonly SegmentId[]): Promise<void> {
  const asked = {
    id: HOLD,
    incident: "2026-1",
    deskNumber: 1,
    owner: parsePersonId("p-01"),
    reviewAt: plus(START, 60 * DAY_MS),
  };
  await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), { ...asked, segments }));
}

/** A box that lost its spool, where one segment was that is held and one that is not; its catalog as it was put back. */
async function lostBox(rig: Rig) {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  const [held, other] = [await rig.record("beeld"), await rig.record("ander", named(1))];
  await rig.adoptOnce();
  await hold(rig, [held]);
  await publish(rig);
  await createSpool(join(rig.folder, "new"), rig.box.node);
  const spool = await openSpool(join(rig.folder, "new"), rig.box.node);
  const verifier = parseVerifier(verifierText(rig.key));
  const from = join(rig.folder, "catalog.db");
  const { database } = await rebuilt(
    { ...rig, spool, verifier },
    { from, into: join(rig.folder, "again.db") },
  );
  rig.said.splice(0);
  const findings = async () => {
    const kept = { ...rig, database, spool, node: rig.box.node, verifier, secured: undefined };
    return (await check(kept, "hashes", rig.clock.now(), NEVER)).findings;
  };
  return { database, held, other, findings, spool };
}

async function gaps(database: Database) {
  return await database.transaction((sql) =>
    sql.all("select id, cause from gap order by started_at_ms"),
  );
}

describe("footage that is held and was lost with its box", () => {
  it("keeps its row and its hold, is a gap, and verify tells of it (invariants 4, 9)", async () => {
    await using rig = await openRig();
    const { database, held, other, findings } = await lostBox(rig);
    await using _ = database;
    const rows = await database.transaction((sql) =>
      sql.all("select id, state, source_path from segment order by started_at_ms"),
    );
    assert.deepEqual(rows, [
      { id: held, state: "sealed", source_path: null },
      { id: other, state: "destroying", source_path: null },
    ]);
    assert.deepEqual(await gaps(database), [
      { id: held, cause: "box-lost" },
      { id: other, cause: "box-lost" },
    ]);
    assert.deepEqual(await findings(), [
      { invariant: 4, what: `${held} is held and nowhere any more` },
    ]);
  });

  it("is told at once and each day, by a catalog alone, until the desk releases it", async () => {
    await using rig = await openRig();
    const { database, held } = await lostBox(rig);
    await using _ = database;
    const alarm = heldNowhereAlarm(rig.events, database);
    const look = () => lookForAlarms({ ...rig, database }, [alarm], 3);
    await look();
    assert.ok(rig.lines.at(-1)?.includes(`"segments":["${held}"]`));
    rig.clock.move(DAY_MS);
    await look();
    assert.deepEqual(rig.said, ["held-nowhere", "held-nowhere"]);
    await database.transaction((sql) => recordRelease(sql, rig.clock.now(), HOLD, 2));
    await look();
    assert.deepEqual(rig.said.slice(2), ["held-nowhere-over"]);
  });

  it("is not waited for: the vault is asked for nothing, and no upload is late", async () => {
    await using rig = await openRig();
    const { database, spool } = await lostBox(rig);
    await using _ = database;
    const late = uploadLate(rig.clock, rig.events, database, "directory", HOUR_MS);
    const { clock, signal } = turns(rig.clock, 1);
    await store(clock, rig.events, database, spool, rig.vault, rig.box.node, UPLOAD, signal);
    rig.clock.move(2 * HOUR_MS);
    await lookForAlarms({ ...rig, database }, [late], 10);
    assert.deepEqual(rig.said, []);
  });

  it("is taken anew from a card that has it still, under an id of its own (invariant 1)", async () => {
    await using rig = await openRig();
    const { database } = await lostBox(rig);
    await using _ = database;
    const id = await rig.record("beeld");
    const { clock, signal } = turns(rig.clock, 1);
    await adopt(clock, rig.events, database, rig.spool, rig.box, signal);
    assert.ok(rig.said.includes("adopted") && !rig.said.includes("duplicate"), rig.said.join());
    assert.equal((await countStates(database))["sealed"], 2, id);
  });
});
