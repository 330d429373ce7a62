import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { checkpoint } from "../daemon/checkpoint.ts";
import { findInLedger } from "../daemon/desk/node-ledger.ts";
import { append } from "../storage/ledger/append.ts";
import { entryBodies } from "../storage/ledger/checkpoint.ts";
import { verifierText } from "../storage/ledger/note.ts";
import { textBody } from "../storage/vault/body.ts";
import { entriesKey, entriesPrefix } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { NEVER, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const ENTRIES = 9000;

async function publish(rig: Rig, vault: Vault = rig.vault): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

/** A box of which nothing has left yet, and a segment at either end of its ledger. */
async function unpublishedRig() {
  const rig = await openRig();
  const first = await rig.keep("eerste");
  await rig.database.transaction(async (sql) => {
    const one = { kind: "bewaard.started" as const, facts: { bootId: "1" } };
    const more = Array.from({ length: ENTRIES - 1 }, () => one);
    await append(sql, rig.clock.now(), [one, ...more]);
  });
  const last = await rig.keep("laatste", "DCIM/100MEDIA/20260601_130000.MP4");
  return { rig, first, last };
}

function found(rig: Rig, id: Parameters<typeof findInLedger>[4]) {
  return findInLedger(rig.vault, [verifierText(rig.key)], "test", rig.box.node, id, NEVER);
}

async function sizes(rig: Rig): Promise<readonly number[]> {
  const versions = await Array.fromAsync(rig.vault.list(entriesPrefix(rig.box.node), NEVER));
  return versions.map(({ bytes }) => bytes);
}

describe("the entries under a checkpoint", () => {
  it("leave in objects of a bounded size however many there are, and a desk reads them as one", async () => {
    const { rig, first, last } = await unpublishedRig();
    await using _ = rig;
    await publish(rig);
    const bytes = await sizes(rig);
    assert.ok(bytes.length >= 2, `${bytes.length} objects`);
    assert.ok(Math.max(...bytes) < 1024 * 1024, `${Math.max(...bytes)} bytes`);
    for (const id of [first, last]) assert.equal((await found(rig, id)).truncated, false);
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("that a cut-off left half there are completed, also beside an object that was cut elsewhere", async () => {
    const { rig, first, last } = await unpublishedRig();
    await using _ = rig;
    const cut = `${(await entryBodies(rig.database, 0, 100)).join("\n")}\n`;
    await rig.vault.put(entriesKey(rig.box.node, 0, 100), textBody(cut), FREELY, NEVER);
    let puts = 0;
    const goes: Vault["put"] = (...args) => {
      puts += 1;
      if (puts > 1) throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
      return rig.vault.put(...args);
    };
    await publish(rig, { ...rig.vault, put: goes });
    assert.ok(rig.said.includes("checkpoint-delayed"));
    await assert.rejects(found(rig, first), { code: "DESK_TAMPERED" });
    await publish(rig);
    for (const id of [first, last]) assert.equal((await found(rig, id)).truncated, false);
  });
});
