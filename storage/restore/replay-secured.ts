import type { Sql } from "../catalog/sqlite.ts";
import type { Line } from "./replay-kinds.ts";
import type { Told } from "./told.ts";

/** Records the separate copy of held footage, on the medium that it was read back from (AR-20). */
export async function restoreSecured(
  sql: Sql,
  { at }: Line,
  { hold, segment, medium, serial, identity, sha256 }: Told<"hold.secured">,
): Promise<void> {
  await sql.run(
    `insert into medium (kind, serial, identity, known_at_ms)
     values ($kind, $serial, $identity, $at) on conflict do nothing`,
    { $kind: medium, $serial: serial, $identity: identity, $at: at },
  );
  await sql.run(
    `insert into copy (segment_id, place, state, bytes, changed_at_ms, medium_id, sha256)
     select segment.id, 'secured', 'present', ciphertext_bytes, $at, medium.id, $sha256
     from segment, medium where segment.id = $segment and medium.identity = $identity
     on conflict do nothing`,
    { $segment: segment, $at: at, $identity: identity, $sha256: sha256 },
  );
  await sql.run(
    `update hold set secured_at_ms = $at
     where hold_id = $hold and segment_id = $segment and secured_at_ms is null`,
    { $hold: hold, $segment: segment, $at: at },
  );
}
