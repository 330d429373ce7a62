import assert from "node:assert/strict";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, plus } from "#base/time";
import { checkpoint } from "../daemon/checkpoint.ts";
import { evictor } from "../daemon/evict.ts";
import { confirmTime } from "../daemon/trust.ts";
import { markStored } from "../storage/catalog/evict.ts";
import { readSegment } from "../storage/catalog/find.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import { check, type Depth } from "../storage/check.ts";
import { append } from "../storage/ledger/append.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { segmentPath } from "../storage/spool/spool.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, OWNER, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const HOLD = parseHoldId("01J00000000000000000000001");

/** What `verify` finds when `vault` and `database` are these instead. */
async function found(rig: Rig, other: Partial<Pick<Rig, "vault" | "database">>, depth: Depth) {
  const { spool, box, key } = rig;
  const kept = {
    ...rig,
    ...other,
    spool,
    node: box.node,
    secured: undefined,
    verifier: parseVerifier(verifierText(key)),
  };
  return (await check(kept, depth, rig.clock.now(), NEVER)).findings;
}

async function sign(rig: Rig): Promise<void> {
  await rig.database.transaction((sql) =>
    append(sql, rig.clock.now(), [{ kind: "bewaard.started", facts: { bootId: "test" } }]),
  );
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

/** The same vault, in which `happens` once between the answer of `call` and whoever asked. */
function vaultIn(rig: Rig, call: keyof Vault, prefix: string, happens: () => Promise<void>): Vault {
  let done = false;
  const once = async (key: string): Promise<void> => {
    if (done || !key.startsWith(prefix)) return;
    done = true;
    await happens();
  };
  const { vault } = rig;
  return {
    ...vault,
    async versions(key) {
      const versions = await vault.versions(key);
      if (call === "versions") await once(key);
      return versions;
    },
    async *list(under, signal) {
      const all = await Array.fromAsync(vault.list(under, signal));
      if (call === "list") await once(under);
      yield* all;
    },
    async isHeld(key, versionId) {
      if (call === "isHeld") await once(key);
      return vault.isHeld(key, versionId);
    },
  };
}

async function dueSegment(rig: Rig): Promise<SegmentId> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  const id = await rig.keep("beeld");
  rig.clock.move(28 * DAY_MS);
  return id;
}

describe("verify on a box that goes on working finds nothing that is not wrong", () => {
  for (const call of ["versions", "list"] as const) {
    it(`when footage is destroyed just after the vault's ${call}`, async () => {
      await using rig = await openRig();
      await dueSegment(rig);
      const vault = vaultIn(rig, call, "footage/", () => retainOnce(rig));
      const findings = await found(rig, { vault }, "hashes");
      assert.deepEqual(
        findings.filter(({ invariant }) => invariant !== 3),
        [],
      );
      assert.ok(rig.said.includes("destroyed"));
    });
  }

  it("when a hold is released and lifted before the vault is asked for it", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const { clock, database } = rig;
    const asked = {
      id: HOLD,
      incident: "zaak",
      deskNumber: 1,
      owner: OWNER,
      reviewAt: plus(clock.now(), DAY_MS),
      segments: [id],
    };
    await database.transaction((sql) => recordHold(sql, clock.now(), asked));
    await database.transaction((sql) =>
      sql.run("update hold set in_force_at_ms = $at", { $at: clock.now() }),
    );
    assert.deepEqual(
      (await found(rig, {}, "sizes")).map(({ invariant }) => invariant),
      [4],
    );
    const other = vaultIn(rig, "isHeld", "footage/", async () => {
      await database.transaction((sql) => recordRelease(sql, clock.now(), HOLD, 2));
    });
    assert.deepEqual(await found(rig, { vault: other }, "sizes"), []);
  });

  it("when a copy leaves the ring between its row and its bytes", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const { clock, events, database, spool } = rig;
    const evict = evictor(clock, events, database, spool);
    let left = 0;
    const other = {
      ...database,
      async transaction<T>(body: Parameters<typeof database.transaction<T>>[0]) {
        const answer = await database.transaction(body);
        if (left === 0 && JSON.stringify(answer)?.includes('"spool":"present"')) {
          left = await markStored(database, clock.now(), 1);
          await evict();
        }
        return answer;
      },
    };
    assert.deepEqual(await found(rig, { database: other }, "hashes"), []);
    assert.equal(left, 1);
  });

  it("when a checkpoint is signed and published while it lists them", async () => {
    await using rig = await openRig();
    await sign(rig);
    const vault: Vault = {
      ...rig.vault,
      async *list(under, signal) {
        const busy = under.endsWith("/checkpoint/");
        if (busy) await sign(rig);
        const all = await Array.fromAsync(rig.vault.list(under, signal));
        if (busy) await sign(rig);
        yield* all;
      },
    };
    assert.deepEqual(await found(rig, { vault }, "sizes"), []);
  });

  it("when a sealed file has just been renamed into the ring, also after a crash", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const path = segmentPath(rig.spool, id, rig.clock.now());
    await mkdir(dirname(path), { recursive: true });
    await rename(sealedPath(rig.sealing.incoming, id), path);
    assert.deepEqual(await rig.check(), []);
    await rig.adoptOnce();
    assert.deepEqual(await rig.check(), []);
  });

  it("and still what is: a file in the ring that nobody handed over, and what lies beside the days", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const segment = await readSegment(rig.database, id);
    assert.ok(segment);
    const path = segmentPath(rig.spool, id, segment.arrivedAt);
    await writeFile(path.replace(id, "01J00000000000000000000009"), "");
    await writeFile(join(dirname(dirname(path)), "stray"), "");
    const key = footageKey(rig.box.node, segment.device, segment.startedAt, id);
    assert.ok((await rig.vault.versions(key)).length === 1);
    assert.deepEqual((await rig.check()).map(({ what }) => what.replace(/^.*\//, "")).toSorted(), [
      "01J00000000000000000000009.age has no row",
      "stray is no day's folder",
    ]);
  });
});
