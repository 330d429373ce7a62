import type { z } from "zod";
import type { Instant } from "#base/time";
import { writeIdentity, writePairing, writeRetired, writeVolume } from "../catalog/bodycams.ts";
import { writeMark } from "../catalog/marks.ts";
import type { Sql } from "../catalog/sqlite.ts";
import { broken } from "./ledger.ts";
import {
  restoreHoldSecured,
  restoreHoldUnsecured,
  restoreMediumDestroyed,
  restoreSecured,
} from "./replay-secured.ts";
import { restoreSegment } from "./replay-segment.ts";
import { read, TOLD, type ToldKind } from "./told.ts";

/** Which entry tells it, when it was written, and whether no head of its box covers it. */
export interface Line {
  readonly seq: number;
  readonly at: Instant;
  readonly unsigned: boolean;
}

/** Does what an entry tells; `facts` are all it says. */
export type Tell = (sql: Sql, line: Line, facts: object) => Promise<void>;

function telling<Schema extends z.ZodType>(
  schema: Schema,
  how: (sql: Sql, line: Line, told: z.output<Schema>) => Promise<void>,
): Tell {
  return async (sql, line, facts) => {
    const told = read(schema, facts);
    if (told !== undefined) await how(sql, line, told);
    else if (!line.unsigned) throw broken(`entry ${line.seq} does not say what its kind says`);
  };
}

/** What each kind of entry makes of the catalog: the rows that were there when it was written. */
export const REPLAY: Readonly<Record<ToldKind, Tell>> = {
  "device.paired": telling(
    TOLD["device.paired"],
    async (sql, { seq }, { device, type, pairedAt }) => {
      await sql.run(
        `insert into device (id, kind, paired_at_ms, entry_seq) values ($device, $type, $pairedAt, $seq)
       on conflict do nothing`,
        { $device: device, $type: type, $pairedAt: pairedAt, $seq: seq },
      );
    },
  ),
  "device.placed": telling(TOLD["device.placed"], async (sql, _, { device, place }) => {
    await sql.run(
      "insert into place (name) select $place where $place is not null on conflict do nothing",
      { $place: place },
    );
    await sql.run(
      "update device set place_id = (select id from place where name = $place) where id = $device",
      { $place: place, $device: device },
    );
  }),
  "bodycam.paired": telling(TOLD["bodycam.paired"], (sql, { seq, at }, told) =>
    writePairing(sql, told, at, seq),
  ),
  "bodycam.identified": telling(
    TOLD["bodycam.identified"],
    (sql, { seq }, { device, idFileSha256 }) => writeIdentity(sql, device, idFileSha256, seq),
  ),
  "bodycam.volume-changed": telling(
    TOLD["bodycam.volume-changed"],
    (sql, { seq }, { device, is }) => writeVolume(sql, device, is, seq),
  ),
  "bodycam.retired": telling(TOLD["bodycam.retired"], (sql, { seq, at }, { device }) =>
    writeRetired(sql, device, at, seq),
  ),
  "card.emptied": telling(TOLD["card.emptied"], async (sql, _, { device, emptiedAt }) => {
    await sql.run("update device set emptied_at_ms = $emptiedAt where id = $device", {
      $device: device,
      $emptiedAt: emptiedAt,
    });
  }),
  "card.returned": telling(TOLD["card.returned"], async (sql, _, told) => {
    await sql.run("update segment set wiped_at_ms = null where id = $id", { $id: told.segment });
  }),
  "card.wiped": telling(TOLD["card.wiped"], async (sql, { at }, { removed }) => {
    await sql.run(
      "update segment set wiped_at_ms = $at where id in (select value from json_each($removed))",
      { $at: at, $removed: JSON.stringify(removed) },
    );
  }),
  "segment.sealed": telling(TOLD["segment.sealed"], restoreSegment),
  "segment.term": telling(TOLD["segment.term"], async (sql, _, { id, timeTrust, dueAt }) => {
    await sql.run(
      `update segment set due_at_ms = $dueAt, time_trust = $trust, due_provisional = 0
       where id = $id and due_provisional = 1`,
      { $id: id, $dueAt: dueAt, $trust: timeTrust },
    );
  }),
  "gap.recorded": telling(
    TOLD["gap.recorded"],
    async (sql, { seq }, { id, device, startedAt, endedAt, cause }) => {
      await sql.run(
        `insert into gap (id, device_id, started_at_ms, ended_at_ms, cause, entry_seq, place_id)
       values ($id, $device, $startedAt, $endedAt, $cause, $seq,
         (select place_id from device where id = $device)) on conflict (id) do nothing`,
        {
          $id: id,
          $device: device,
          $startedAt: startedAt,
          $endedAt: endedAt,
          $cause: cause,
          $seq: seq,
        },
      );
    },
  ),
  "manifest.quarantined": telling(
    TOLD["manifest.quarantined"],
    async (sql, { seq, at }, { id, producer, code, dueAt }) => {
      // Under what name it lay in incoming/ was nobody's business but this box's.
      await sql.run(
        `insert into quarantine (id, producer, name, code, arrived_at_ms, due_at_ms, entry_seq)
       values ($id, $producer, x'', $code, $at, $dueAt, $seq) on conflict do nothing`,
        { $id: id, $producer: producer, $code: code, $at: at, $dueAt: dueAt, $seq: seq },
      );
    },
  ),
  "quarantine.destroyed": telling(TOLD["quarantine.destroyed"], async (sql, { at }, { id }) => {
    await sql.run("update quarantine set destroyed_at_ms = $at where id = $id", {
      $at: at,
      $id: id,
    });
  }),
  "hold.requested": telling(
    TOLD["hold.requested"],
    async (sql, { seq, at }, { hold, incident, desk, owner, segments, reviewAt }) => {
      await sql.run(
        `insert into hold (hold_id, segment_id, incident, desk_number, owner, review_at_ms, requested_at_ms, entry_seq)
       select $hold, value, $incident, $desk, $owner, $reviewAt, $at, $seq from json_each($segments)
       where true on conflict do nothing`,
        {
          $hold: hold,
          $incident: incident,
          $desk: desk,
          $owner: owner ?? null,
          $reviewAt: reviewAt,
          $at: at,
          $seq: seq,
          $segments: JSON.stringify(segments),
        },
      );
    },
  ),
  "hold.in-force": telling(TOLD["hold.in-force"], async (sql, { at }, { hold, segment }) => {
    await sql.run(
      `update hold set in_force_at_ms = $at, in_vault_at_ms = $at where hold_id = $hold and segment_id = $segment
         and in_force_at_ms is null and released_at_ms is null`,
      { $at: at, $hold: hold, $segment: segment },
    );
  }),
  "hold.lost": telling(TOLD["hold.lost"], async (sql, _, { segment }) => {
    await sql.run(
      `update hold set in_force_at_ms = null, in_vault_at_ms = null
       where segment_id = $segment and released_at_ms is null`,
      { $segment: segment },
    );
  }),
  "hold.secured": telling(TOLD["hold.secured"], restoreSecured),
  "medium.destroyed": telling(TOLD["medium.destroyed"], restoreMediumDestroyed),
  "secured.destroyed": telling(TOLD["secured.destroyed"], async (sql, { at }, told) => {
    await sql.run(
      `update copy set state = 'gone', removed = $versions, changed_at_ms = $at
       where segment_id = $segment and place = 'secured'`,
      { $at: at, $segment: told.segment, $versions: told.versions },
    );
  }),
  "secured.lost": telling(TOLD["secured.lost"], async (sql, { at }, { segment }) => {
    await sql.run(
      `update copy set state = 'gone', changed_at_ms = $at
       where segment_id = $segment and place = 'secured'`,
      { $at: at, $segment: segment },
    );
  }),
  "hold.released": telling(TOLD["hold.released"], async (sql, { at }, { hold }) => {
    await sql.run(
      "update hold set released_at_ms = $at where hold_id = $hold and released_at_ms is null",
      { $at: at, $hold: hold },
    );
  }),
  "checkpoint.timestamped": telling(TOLD["checkpoint.timestamped"], async () => {
    // Beside what the authority said there must be its reply, which lies in the vault: restoreTimestamps.
  }),
  "incident.marked": telling(TOLD["incident.marked"], (sql, { at }, mark) =>
    writeMark(sql, at, mark),
  ),
  "duty.opened": telling(
    TOLD["duty.opened"],
    async (sql, { seq, at }, { id, duty, device, decision, startedAt, endedAt }) => {
      await sql.run(
        `insert into duty (id, kind, device_id, decision, started_at_ms, ended_at_ms, opened_at_ms, entry_seq)
       values ($id, $duty, $device, $decision, $startedAt, $endedAt, $at, $seq) on conflict do nothing`,
        {
          $id: id,
          $duty: duty,
          $device: device,
          $decision: decision,
          $startedAt: startedAt,
          $endedAt: endedAt,
          $at: at,
          $seq: seq,
        },
      );
    },
  ),
  "duty.done": telling(TOLD["duty.done"], async (sql, { at }, { id, by, reference }) => {
    await sql.run(
      `update duty set done_at_ms = $at, done_by = $by, reference = $reference
       where id = $id and done_at_ms is null`,
      { $at: at, $id: id, $by: by, $reference: reference },
    );
  }),
  "breach.overdue": telling(TOLD["breach.overdue"], async (sql, { seq }, told) => {
    // Told once: what lasts is found again, and is the same.
    await sql.run(
      `insert into breach (looked, what, place, since_ms, discovered_at_ms, entry_seq)
       values ($looked, $what, $place, $since, $discoveredAt, $seq) on conflict do nothing`,
      {
        $looked: /^(?:medium\/)?footage\//.test(told.what) ? "vault" : "box",
        $what: told.what,
        $place: told.place,
        $since: told.since,
        $discoveredAt: told.discoveredAt,
        $seq: seq,
      },
    );
  }),
  "rows.archived": telling(
    TOLD["rows.archived"],
    async (sql, { seq, at }, { batch, key, first, last, sha256, bytes, root }) => {
      await sql.run(
        `insert into batch (id, kind, opened_at_ms, root, entry_seq, archive_key, first_seq, last_seq,
         read_back_at_ms, archive_sha256, archive_bytes)
       values ($batch, 'archived', $at, unhex($root), $seq, $key, $first, $last, $at, $sha256, $bytes)
       on conflict (id) do update set entry_seq = excluded.entry_seq, read_back_at_ms = excluded.read_back_at_ms
       where batch.entry_seq is null and batch.archive_sha256 = excluded.archive_sha256`,
        {
          $batch: batch,
          $at: at,
          $root: root,
          $seq: seq,
          $key: key,
          $first: first,
          $last: last,
          $sha256: sha256,
          $bytes: bytes,
        },
      );
    },
  ),
};

/**
 * What a catalog goes by before there is any segment in it: archives, and holds, from their first entry to their
 * last. A segment that left has no hold; and a hold that was released does not change any more.
 */
export const REPLAY_FIRST: Readonly<Partial<Record<ToldKind, Tell>>> = {
  "hold.in-force": REPLAY["hold.in-force"],
  "hold.lost": REPLAY["hold.lost"],
  "hold.released": REPLAY["hold.released"],
  "hold.requested": REPLAY["hold.requested"],
  "hold.secured": telling(TOLD["hold.secured"], restoreHoldSecured),
  "rows.archived": REPLAY["rows.archived"],
  "secured.lost": telling(TOLD["secured.lost"], restoreHoldUnsecured),
};
