import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { newSegmentId } from "../../daemon/new-id.ts";
import { store } from "../../daemon/store.ts";
import { countStates } from "../../storage/catalog/due.ts";
import { recordSealed } from "../../storage/catalog/record-sealed.ts";
import { segmentOfRow } from "../../storage/catalog/segment-row.ts";
import { segmentPath } from "../../storage/spool/spool.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { openRig, type Rig, UPLOAD } from "./rig.ts";
import { turns } from "./turns.ts";

const bodyOfAll = bytesBody(Buffer.from("x"));

/** Segments of one byte each, by the catalog's own functions; the spool has the bytes. */
async function fillBacklog(rig: Rig, count: number): Promise<void> {
  await rig.record("beeld");
  await rig.adoptOnce();
  const [row] = await rig.database.transaction((sql) => sql.all("select * from segment"));
  if (!row) throw new Error("nothing was adopted");
  const segment = segmentOfRow(row);
  for (let index = 0; index < count; index += 1) {
    const id = newSegmentId(rig.clock.now());
    const sourcePath = Buffer.from(`copy ${index}`);
    const { parts } = bodyOfAll;
    const one = { ...segment, id, sourcePath, parts, ciphertextBytes: 1 };
    await recordSealed(rig.database, rig.clock.now(), one);
    await writeFile(segmentPath(rig.spool, id, segment.arrivedAt), "x");
  }
}

/**
 * Stores `count` segments of one byte, and a bad one before them, four at a time; asserts that memory did not
 * grow with their number.
 */
export async function drainsFlat(count: number): Promise<void> {
  await using rig = await openRig({ database: ":memory:" });
  await fillBacklog(rig, count);
  let most = 0;
  const vault: Vault = {
    ...rig.vault,
    async put(_, body) {
      for await (const _chunk of body.open()) most = Math.max(most, process.memoryUsage.rss());
      return "version";
    },
    // Of the first, which is a real recording, this is not what was sealed.
    async *read(_key, _version, _signal, range) {
      yield* bodyOfAll.open(range);
    },
  };
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, spool, box } = rig;
  const before = process.memoryUsage.rss();
  const upload = { ...UPLOAD, parallel: 4 };
  await store(clock, events, database, spool, vault, box.node, upload, signal);
  const { stored, sealed } = await countStates(rig.database);
  assert.deepEqual([stored, sealed], [count, 1]);
  assert.ok(most - before < 60e6, `${((most - before) / 1e6).toFixed()} MB more`);
}
