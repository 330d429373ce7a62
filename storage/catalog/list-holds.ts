import { type HoldId, parseHoldId, parseSegmentId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import type { MediumName } from "./medium.ts";
import { moment, number, optional, text } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** *Aangevraagd* (not safe yet), *van kracht*, *vrijgegeven*. */
type HoldState = "requested" | "in force" | "released";

/** A hold (*veiligstelling*) as this box has it, over all its segments here. */
export interface ListedHold {
  readonly id: HoldId;
  readonly incident: string;
  /** Pseudonym; undefined for holds of before it was kept. */
  readonly owner: string | undefined;
  /** In force when each of its segments is. */
  readonly state: HoldState;
  readonly segments: number;
  readonly inForce: number;
  /** How many of its segments have their separate copy. */
  readonly secured: number;
  /** How many this box has not received yet. */
  readonly toCome: number;
  readonly requestedAt: Instant;
  readonly reviewAt: Instant;
  readonly releasedAt: Instant | undefined;
}

const AT_MOST = 1000;

/** Every hold that this box knows, open ones first, the newest first. */
export function listHolds(database: Database): Promise<readonly ListedHold[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select hold_id, max(incident) as incident, max(owner) as owner, count(*) as segments,
         count(in_force_at_ms) as in_force, count(secured_at_ms) as secured,
         sum(segment_id not in (select id from segment)) as to_come,
         min(requested_at_ms) as requested_at_ms, max(review_at_ms) as review_at_ms,
         case when count(released_at_ms) = count(*) then max(released_at_ms) end as released_at_ms
       from hold group by hold_id
       order by released_at_ms is not null, hold_id desc limit ${AT_MOST}`,
    );
    return rows.map((row) => {
      const segments = number(row, "segments");
      const inForce = number(row, "in_force");
      const releasedAt = optional(row, "released_at_ms", moment);
      return {
        id: parseHoldId(text(row, "hold_id")),
        incident: text(row, "incident"),
        owner: optional(row, "owner", text),
        state: releasedAt ? "released" : inForce === segments ? "in force" : "requested",
        segments,
        inForce,
        secured: number(row, "secured"),
        toCome: number(row, "to_come"),
        requestedAt: moment(row, "requested_at_ms"),
        reviewAt: moment(row, "review_at_ms"),
        releasedAt,
      };
    });
  });
}

/** One segment under a hold, and where its separate copy lies. */
export interface HeldSegment {
  readonly id: SegmentId;
  readonly state: HoldState;
  /** When the vault was seen to hold it. */
  readonly inVaultAt: Instant | undefined;
  readonly securedAt: Instant | undefined;
  readonly medium: MediumName | undefined;
  /** `leaving` waits for that medium. */
  readonly copy: string | undefined;
  /** Of the sealed file as it was read back from the medium. */
  readonly sha256: string | undefined;
}

/** The segments of one hold; empty when this box knows no such hold. */
export function segmentsOfHold(database: Database, id: HoldId): Promise<readonly HeldSegment[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select hold.*, medium.kind, medium.serial, copy.state as copy, copy.sha256 from hold
       left join copy on copy.segment_id = hold.segment_id and copy.place = 'secured'
       left join medium on medium.id = copy.medium_id
       where hold.hold_id = $hold order by hold.segment_id`,
      { $hold: id },
    );
    return rows.map((row) => {
      const kind = optional(row, "kind", text);
      const released = optional(row, "released_at_ms", number) !== undefined;
      const inForce = optional(row, "in_force_at_ms", number) !== undefined;
      return {
        id: parseSegmentId(text(row, "segment_id")),
        state: released ? "released" : inForce ? "in force" : "requested",
        inVaultAt: optional(row, "in_vault_at_ms", moment),
        securedAt: optional(row, "secured_at_ms", moment),
        medium: kind === undefined ? undefined : { kind, serial: text(row, "serial") },
        copy: optional(row, "copy", text),
        sha256: optional(row, "sha256", text),
      };
    });
  });
}
