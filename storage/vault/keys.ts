import type { DeviceId, NodeId, SegmentId } from "#base/ids";
import { parseSegmentId } from "#base/ids";
import { type Instant, instant, isoOf } from "#base/time";

/** `footage/<node>/<device>/<yyyy>/<mm>/<dd>/<hhmmss>Z-<id>.age`, by the start of the recording in UTC. */
export function footageKey(
  node: NodeId,
  device: DeviceId,
  startedAt: Instant,
  id: SegmentId,
): string {
  const iso = isoOf(startedAt);
  const day = iso.slice(0, 10).replaceAll("-", "/");
  const time = iso.slice(11, 19).replaceAll(":", "");
  return `${footagePrefix(node)}${device}/${day}/${time}Z-${id}.age`;
}

/** Everything one box has under `footage/`. */
export function footagePrefix(node: NodeId): string {
  return `footage/${node}/`;
}

/** The segment a footage key belongs to, or undefined for a key of another form. */
export function segmentOf(key: string): SegmentId | undefined {
  const [, id] =
    /^footage\/[^/]+\/[^/]+\/\d{4}\/\d\d\/\d\d\/\d{6}Z-([0-7][0-9A-HJKMNP-TV-Z]{25})\.age$/.exec(
      key,
    ) ?? [];
  return id === undefined ? undefined : parseSegmentId(id);
}

/** When the recording of a footage key began, to the second; undefined for a key of another form. */
export function startOf(key: string): Instant | undefined {
  const found =
    /^footage\/[^/]+\/[^/]+\/(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)(\d\d)(\d\d)Z-[0-9A-Z]{26}\.age$/.exec(
      key,
    );
  // Date.parse finds a day in the year 2000 in words without one.
  if (found === null) return undefined;
  const [, year, month, day, h, m, s] = found;
  const ms = Date.parse(`${year}-${month}-${day}T${h}:${m}:${s}.000Z`);
  return Number.isNaN(ms) || ms < 0 ? undefined : instant(ms);
}

// Twenty digits, so that the order of keys is the order of numbers.
function padded(number: number): string {
  return String(number).padStart(20, "0");
}

/** The first `size` entries, signed. */
export function checkpointKey(node: NodeId, size: number): string {
  return `${checkpointPrefix(node)}${padded(size)}`;
}

export function checkpointPrefix(node: NodeId): string {
  return `ledger/${node}/checkpoint/`;
}

/** A name behind which every checkpoint of `size` or more entries lies. */
export function checkpointsBefore(node: NodeId, size: number): string {
  return size === 0 ? "" : checkpointKey(node, size - 1);
}

/** The size in a checkpoint's key, or undefined for a key of another form. */
export function checkpointSizeOf(key: string): number | undefined {
  const [, digits] = /^ledger\/[^/]+\/checkpoint\/(\d{20})$/.exec(key) ?? [];
  const size = Number(digits);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** An outside authority's timestamp (RFC 3161) over the checkpoint of `size` entries. */
export function timestampKey(node: NodeId, size: number): string {
  return `ledger/${node}/timestamp/${padded(size)}.tsr`;
}

/** Entries `from` ≤ seq < `to`, one canonical JSON a line. */
export function entriesKey(node: NodeId, from: number, to: number): string {
  return `${entriesPrefix(node)}${padded(from)}-${padded(to)}.jsonl`;
}

export function entriesPrefix(node: NodeId): string {
  return `ledger/${node}/entries/`;
}

/** A name behind which every object lies that begins at entry `from` or later. */
export function entriesBefore(node: NodeId, from: number): string {
  // Behind the hyphen and the digits of those that begin one earlier.
  return from === 0 ? "" : `${entriesPrefix(node)}${padded(from - 1)}~`;
}

/** Where the entries of such a key begin, or undefined for a key of another form. */
export function firstEntryOf(key: string): number | undefined {
  const [, digits] = /^ledger\/[^/]+\/entries\/(\d{20})-\d{20}\.jsonl$/.exec(key) ?? [];
  const from = Number(digits);
  return Number.isSafeInteger(from) ? from : undefined;
}

/** The rows of the batches that were closed by entries `from` ≤ seq < `to`. */
export function rowsKey(node: NodeId, from: number, to: number): string {
  return `${rowsPrefix(node)}${padded(from)}-${padded(to)}.jsonl`;
}

export function rowsPrefix(node: NodeId): string {
  return `ledger/${node}/rows/`;
}

/** Rows that left the catalog with the entries `first` ≤ seq ≤ `last`, sealed; by the year they left in. */
export function archiveKey(node: NodeId, at: Instant, first: number, last: number): string {
  return `${archivePrefix(node)}${isoOf(at).slice(0, 4)}/${padded(first)}-${padded(last)}.age`;
}

export function archivePrefix(node: NodeId): string {
  return `ledger/${node}/archive/`;
}

/** Where an object of entries or of rows ends, or undefined for a key of another form. */
export function endOf(key: string): number | undefined {
  const [, digits] = /^ledger\/[^/]+\/(?:entries|rows)\/\d{20}-(\d{20})\.jsonl$/.exec(key) ?? [];
  const to = Number(digits);
  return Number.isSafeInteger(to) ? to : undefined;
}

/** The catalog as it was at `at`, to the second, sealed to the recovery key. */
export function backupKey(node: NodeId, at: Instant): string {
  const time = isoOf(at).slice(0, 19).replaceAll(/[-:]/g, "");
  return `${backupPrefix(node)}${time}Z.age`;
}

/** What the node signed of the backup under `key`. */
export function backupNoteKey(key: string): string {
  return key.replace(/age$/, "note");
}

export function backupPrefix(node: NodeId): string {
  return `backup/${node}/`;
}

/** When the backup was made that `key`, or the note beside it, is of; undefined for a key of another form. */
export function backupAt(key: string): Instant | undefined {
  const found = /^backup\/[^/]+\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.(?:age|note)$/.exec(key);
  if (found === null) return undefined;
  const [, year, month, day, h, m, s] = found;
  const ms = Date.parse(`${year}-${month}-${day}T${h}:${m}:${s}.000Z`);
  return Number.isNaN(ms) || ms < 0 ? undefined : instant(ms);
}

/** Entry `number` of the desk's signed chain, from 1. */
export function deskKey(number: number): string {
  return `${DESK_PREFIX}${padded(number)}`;
}

export const DESK_PREFIX = "desk/entry/";

/** Which files boxes have taken from cards, as the desk signed it on the UTC day `day`. */
export function seenKey(day: string): string {
  return `${SEEN_PREFIX}${day}`;
}

export const SEEN_PREFIX = "desk/seen/";

/** What people wrote beside a desk entry, sealed to the officers. `name` is random. */
export function deskDetailKey(name: string): string {
  return `desk/detail/${name}.age`;
}
