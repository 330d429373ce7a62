import type { Sql } from "../catalog/sqlite.ts";
import type { Line } from "./replay-kinds.ts";
import type { Told } from "./told.ts";

// What entries tell of separate copies (AR-20): of their holds first, while these can still change; and of the
// copies once there are segments.

export async function restoreHoldSecured(
  sql: Sql,
  { at }: Line,
  { hold, segment }: Told<"hold.secured">,
): Promise<void> {
  await sql.run(
    `update hold set secured_at_ms = $at
     where hold_id = $hold and segment_id = $segment and secured_at_ms is null
       and released_at_ms is null`,
    { $hold: hold, $segment: segment, $at: at },
  );
}

export async function restoreHoldUnsecured(
  sql: Sql,
  _: Line,
  { segment }: Told<"secured.lost">,
): Promise<void> {
  await sql.run(
    `update hold set in_force_at_ms = null, secured_at_ms = null
     where segment_id = $segment and released_at_ms is null`,
    { $segment: segment },
  );
}

/**
 * Records the copy on the medium that it was read back from; also one that was made anew after another had gone, or
 * that was being written or removed when a backup was made.
 */
export async function restoreSecured(
  sql: Sql,
  { at }: Line,
  { segment, medium, serial, identity, sha256 }: Told<"hold.secured">,
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
     on conflict (segment_id, place) do update
     set state = 'present', changed_at_ms = $at, medium_id = excluded.medium_id,
       sha256 = excluded.sha256, version_id = null, removed = null
     where copy.state <> 'present'`,
    { $segment: segment, $at: at, $identity: identity, $sha256: sha256 },
  );
}

/** Records that copies went with their medium, as two people signed. */
export async function restoreMediumDestroyed(
  sql: Sql,
  { at }: Line,
  { medium, serial, whole, ended }: Told<"medium.destroyed">,
): Promise<void> {
  const params = { $at: at, $kind: medium, $serial: serial };
  await sql.run(
    `update copy set state = 'gone', removed = 0, changed_at_ms = $at
     where place = 'secured' and state <> 'gone'
       and medium_id in (select id from medium where kind = $kind and serial = $serial)
       and ($all = 1 or segment_id in (select value from json_each($ended)))`,
    { ...params, $all: whole ? 1 : 0, $ended: JSON.stringify(ended ?? []) },
  );
  if (!whole) return;
  await sql.run(
    `update medium set destroyed_at_ms = $at
     where kind = $kind and serial = $serial and destroyed_at_ms is null`,
    params,
  );
}
