import assert from "node:assert/strict";
import * as fc from "fast-check";
import { parseNodeId, parseSegmentId } from "#base/ids";
import { plus } from "#base/time";
import { splitSigned } from "../../daemon/desk/entry.ts";
import { appendEntry, openStation } from "../../daemon/desk/station.ts";
import { deskReadTo, heeder } from "../../daemon/heed.ts";
import { newHoldId } from "../../daemon/new-id.ts";
import { readText } from "../../storage/vault/body.ts";
import { deskKey } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { assertAlways } from "./campaign.ts";
import { type Mangle, mangle } from "./mangled.ts";
import { NEVER, openRig, START } from "./rig.ts";
import { openSite } from "./site.ts";

const NODE = parseNodeId("dock-1");

/**
 * `entries` in the place of the next one of a desk's chain, none of which its people signed: a box
 * neither stops nor hangs, obeys nothing of it, and keeps what it read before.
 */
export async function hostileDesk(entries: number): Promise<number> {
  await using site = await openSite(START, ["bc-0101"], 3);
  await using station = await openStation(site.demo.desk);
  await using rig = await openRig();
  const target = { node: NODE, id: parseSegmentId("01J00000000000000000000001") };
  const hold = () => ({
    kind: "hold" as const,
    hold: newHoldId(START),
    incident: "2026-1",
    purpose: "aangifte",
    ground: "aangifte",
    owner: station.config.person,
    reviewAt: plus(START, 1),
    segments: [target],
    detail: "0".repeat(64),
  });
  const desk = {
    site: site.demo.config.site.name,
    demo: true,
    signersPath: site.demo.config.desk_signers,
    separate: false,
  };
  const heed = (vault: Vault) =>
    heeder(rig.clock, rig.events, rig.database, vault, NODE, desk)(START, NEVER);
  await appendEntry(site.clock, station, hold(), NEVER);
  assert.equal(await heed(station.vault), true);
  const number = await appendEntry(site.clock, station, hold(), NEVER);
  const next = deskKey(number);
  const [version] = await station.vault.versions(next);
  const genuine = await readText(station.vault, next, version?.versionId ?? "", NEVER);
  const before = await deskReadTo(rig.database);
  const holds = () =>
    rig.database.transaction((sql) => sql.all("select * from hold order by hold_id"));
  const held = await holds();

  const property = fc.asyncProperty(mangle, fc.boolean(), async (damage, alsoSignature) => {
    const object = damaged(genuine, damage, alsoSignature);
    // What changed nothing that was signed is no lie.
    if (sameEntry(object, genuine)) return;
    assert.equal(await heed(inPlaceOf(station.vault, next, object)), false);
    assert.equal((await deskReadTo(rig.database))?.number, before?.number);
    assert.deepEqual(await holds(), held);
  });
  return await assertAlways(property, entries);
}

/** Damages the line that was signed, or anything in the object. */
function damaged(genuine: string, damage: Mangle, alsoSignature: boolean): Buffer {
  if (alsoSignature) return damage(genuine);
  const end = genuine.indexOf("\n");
  return Buffer.concat([damage(genuine.slice(0, end)), Buffer.from(genuine.slice(end))]);
}

function sameEntry(object: Buffer, genuine: string): boolean {
  const line = genuine.slice(0, genuine.indexOf("\n") + 1);
  if (!object.toString().startsWith(line)) return false;
  try {
    return (
      splitSigned(object.toString()).signature.trim() === splitSigned(genuine).signature.trim()
    );
  } catch {
    return false;
  }
}

/** The vault, with something else under one key. */
function inPlaceOf(vault: Vault, key: string, object: Buffer): Vault {
  return {
    ...vault,
    versions: async (one) =>
      one === key ? [{ key, versionId: "x", bytes: object.length }] : vault.versions(one),
    read: (one, versionId, signal) =>
      one === key
        ? (async function* () {
            yield object;
          })()
        : vault.read(one, versionId, signal),
  };
}
