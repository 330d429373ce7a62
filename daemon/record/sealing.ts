import type { NodeId, SegmentId } from "#base/ids";
import type { Clock } from "#base/time";
import type { RecipientBook } from "../../storage/seal/recipients.ts";
import { openSharedSync, type SharedSync } from "../../storage/seal/shared-sync.ts";
import { openSpareBuffers, type SpareBuffers } from "../../storage/seal/spare-buffers.ts";
import type { Intent } from "../../storage/spool/intent.ts";
import type { Events } from "../events.ts";

/** What all cameras of a recorder share to seal what they see. */
export interface RecordSealing {
  readonly clock: Clock;
  readonly events: Events;
  readonly node: NodeId;
  /** As its file now is. */
  book: RecipientBook;
  /** `incoming/record` of the spool. */
  readonly incoming: string;
  readonly shared: SharedSync;
  readonly spare: SpareBuffers;
  /** What was abandoned while the disk refused even that: closed as soon as it takes something again. */
  readonly abandoned: Map<SegmentId, Intent>;
}

/** 4 MiB of memory that is written from, over and over: two chunks a camera, or one camera's key picture. */
const SPARE_BUFFERS = 64;

/** Opens what sealing needs, once for a recorder. Holds nothing that must be closed. */
export function openRecordSealing(
  clock: Clock,
  events: Events,
  node: NodeId,
  book: RecipientBook,
  incoming: string,
): RecordSealing {
  const shared = openSharedSync();
  const spare = openSpareBuffers(SPARE_BUFFERS);
  return { clock, events, node, book, incoming, shared, spare, abandoned: new Map() };
}
