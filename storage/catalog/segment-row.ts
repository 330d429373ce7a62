import {
  type CiphertextSha256,
  type DeviceId,
  parseCiphertextSha256,
  parseDeviceId,
  parseSegmentId,
  parseSha256,
  type SegmentId,
  type Sha256,
} from "#base/ids";
import type { Instant } from "#base/time";
import { bytes, moment, number, optional, text } from "./row.ts";
import type { SqlRow } from "./sqlite.ts";

// What a sealed file is, as its row says.

type SegmentState = "sealed" | "stored" | "destroying" | "destroyed";

/** How far the start of a recording is believed; docs/time.md. */
export type TimeTrust = "trusted" | "untrusted" | "overdue";

/** What is known of the clock of the camera that recorded. */
export interface CameraClock {
  readonly declared: "synchronised" | "unknown";
  /** Camera less ours, seen at this docking; null when it cannot be seen. */
  readonly offsetMs: number | null;
}

/** One sealed file (*fragment*): the unit of hash, upload, hold and destruction. */
export interface Segment {
  readonly id: SegmentId;
  readonly device: DeviceId;
  readonly producer: string;
  readonly startedAt: Instant;
  /** The later moment that the same local time was, when clocks changed; undefined when it was one. */
  readonly alternativeStartedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly timeSource: string;
  readonly timeTrust: TimeTrust;
  readonly arrivedAt: Instant;
  /** The arrival by uptime, and of which start of the machine. */
  readonly arrivedUptime: { readonly bootId: string; readonly ms: number };
  readonly cameraClock: CameraClock;
  readonly dueAt: Instant;
  /** True while the term is reckoned from a time that nobody has vouched for. */
  readonly dueProvisional: boolean;
  /** Path on the card, as bytes; undefined for a wall camera. */
  readonly sourcePath: Uint8Array | undefined;
  readonly sourceModifiedAt: Instant | undefined;
  /** Both undefined when truncated: nobody has opened it. */
  readonly plaintextSha256: Sha256 | undefined;
  readonly plaintextBytes: number | undefined;
  readonly ciphertextBytes: number;
  readonly parts: readonly CiphertextSha256[];
  /** UTC day of the identity it is sealed to. */
  readonly sealedFor: string;
  /** Cut off while it was sealed, and its source gone: it opens as far as it goes. */
  readonly truncated: boolean;
  /** JSON of what was done to the camera's bytes; undefined when nothing was. */
  readonly rewritten: string | undefined;
  readonly state: SegmentState;
}

export function segmentOfRow(row: SqlRow): Segment {
  return {
    id: parseSegmentId(text(row, "id")),
    device: parseDeviceId(text(row, "device_id")),
    producer: text(row, "producer"),
    startedAt: moment(row, "started_at_ms"),
    alternativeStartedAt: optional(row, "alternative_start_ms", moment),
    endedAt: optional(row, "ended_at_ms", moment),
    timeSource: text(row, "time_source"),
    timeTrust: trustOf(text(row, "time_trust")),
    arrivedAt: moment(row, "arrived_at_ms"),
    arrivedUptime: { bootId: text(row, "arrived_boot_id"), ms: number(row, "arrived_uptime_ms") },
    cameraClock: {
      declared: text(row, "clock_declared") === "synchronised" ? "synchronised" : "unknown",
      offsetMs: optional(row, "clock_offset_ms", number) ?? null,
    },
    dueAt: moment(row, "due_at_ms"),
    dueProvisional: number(row, "due_provisional") === 1,
    sourcePath: optional(row, "source_path", bytes),
    sourceModifiedAt: optional(row, "source_modified_at_ms", moment),
    plaintextSha256: optional(row, "plaintext_sha256", sha256),
    plaintextBytes: optional(row, "plaintext_bytes", number),
    ciphertextBytes: number(row, "ciphertext_bytes"),
    parts: split(bytes(row, "part_sha256")),
    sealedFor: text(row, "sealed_for"),
    truncated: number(row, "truncated") === 1,
    rewritten: optional(row, "rewritten", text),
    state: stateOf(text(row, "state")),
  };
}

function sha256(row: SqlRow | undefined, column: string): Sha256 {
  return parseSha256(text(row, column));
}

function stateOf(state: string): SegmentState {
  if (state === "sealed" || state === "stored") return state;
  if (state === "destroying" || state === "destroyed") return state;
  throw new TypeError(`no such state: ${state}`);
}

function trustOf(trust: string): TimeTrust {
  if (trust === "trusted" || trust === "untrusted" || trust === "overdue") return trust;
  throw new TypeError(`no such trust: ${trust}`);
}

function split(blob: Buffer): readonly CiphertextSha256[] {
  return Array.from({ length: blob.length / 32 }, (_, index) =>
    parseCiphertextSha256(blob.toString("hex", index * 32, index * 32 + 32)),
  );
}
