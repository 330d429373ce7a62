import { BewaardError } from "#base/errors";

// ISO 14496-12: a box is a length of 32 bits, a type of four letters, and a body. What is read here came
// from a camera by way of ffmpeg: every length is a claim.

/** A box inside another. The body is a view, not a copy. */
export interface Box {
  readonly type: string;
  readonly body: Buffer;
}

/** A box of the stream itself, in memory of its own, its head included. */
export interface TopBox {
  readonly type: string;
  readonly bytes: Buffer;
}

const HEAD_BYTES = 8;
/** A GOP of half a minute at 16 Mbit/s, and far more than half a second of anything. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What describes pictures is small; only pictures are large. */
const MOST_DESCRIPTION_BYTES = 1024 * 1024;
const MOST_AT_ONCE_BYTES = 1024 * 1024;
/** A fragment lists its samples in some 25 stretches where it has sound, and no other box holds ten. */
const MOST_BOXES = 1000;
const POOLED_BYTES = 4096;
const NONE = Buffer.alloc(0);
const KNOWN = new Set([
  "ftyp",
  "moov",
  "moof",
  "mdat",
  "prft",
  "styp",
  "sidx",
  "mfra",
  "skip",
  "free",
]);

/** What the camera sends cannot be taken: this connection ends, and another may do better. */
export function untakeable(why: string): BewaardError {
  const message = `de beelden zijn niet te verwerken / the stream cannot be worked with: ${why}`;
  return new BewaardError("CAMERA_STREAM", message, { transient: true });
}

/** Takes bytes of a stream as they come, and gives what they make whole. It does not keep the bytes. */
export type Take<T> = (bytes: Uint8Array, give: (whole: T) => void) => void;

/**
 * Takes a stream apart into its boxes, each copied once. What is not whole when the stream ends is not given.
 * @throws BewaardError CAMERA_STREAM for a box of more than 64 MiB or of a type we do not know.
 */
export function openBoxes(): Take<TopBox> {
  let box: { readonly type: string; readonly size: number } | undefined;
  let room: Buffer = NONE;
  let have = 0;
  return (bytes, give) => {
    let from = 0;
    while (from < bytes.length) {
      const until = Math.min(bytes.length, from + (box?.size ?? HEAD_BYTES) - have);
      const needed = have + until - from;
      if (needed > room.length) room = roomier(room, needed, box?.size);
      room.set(bytes.subarray(from, until), have);
      [from, have] = [until, needed];
      if (!box && have === HEAD_BYTES) box = headOf(room);
      if (!box || have < box.size) continue;
      const whole = { type: box.type, bytes: room.length === have ? room : room.subarray(0, have) };
      [room, have, box] = [NONE, 0, undefined];
      give(whole);
    }
  };
}

/** Room for `needed` bytes, of all `size` of a box where that is not much: a length is a claim. */
function roomier(room: Buffer, needed: number, size = HEAD_BYTES): Buffer {
  const wanted = size <= MOST_AT_ONCE_BYTES ? size : Math.max(MOST_AT_ONCE_BYTES, 2 * needed);
  const bytes = Math.min(size, Math.max(needed, wanted));
  // Small ones share memory; what is large has its own, and can be freed by itself.
  const larger = bytes < POOLED_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
  larger.set(room);
  return larger;
}

function headOf(head: Buffer): { type: string; size: number } {
  const type = typeAt(head, 4);
  if (!KNOWN.has(type)) throw untakeable("a box of an unknown type");
  const size = u32(head, 0);
  const most = type === "mdat" ? MOST_BYTES : MOST_DESCRIPTION_BYTES;
  // A length of 0 or 1 means "to the end" or "see the next 64 bits": nothing that may come here.
  if (size < HEAD_BYTES || size > most) throw untakeable(`a box ${type} of ${size} bytes`);
  return { type, size };
}

/** The boxes that fill `body`. @throws BewaardError CAMERA_STREAM when they do not fit in it, or are over 1000. */
export function* boxesIn(body: Buffer): Generator<Box, void, undefined> {
  let boxes = 0;
  for (let at = 0; at < body.length; boxes += 1) {
    if (boxes === MOST_BOXES) throw untakeable("a box of too many boxes");
    const size = u32(body, at);
    if (size < HEAD_BYTES || at + size > body.length) throw untakeable("a box beyond its parent");
    yield { type: typeAt(body, at + 4), body: body.subarray(at + HEAD_BYTES, at + size) };
    at += size;
  }
}

/** The body of the first box of this type. @throws BewaardError CAMERA_STREAM when there is none. */
export function boxIn(body: Buffer, type: string): Buffer {
  for (const box of boxesIn(body)) if (box.type === type) return box.body;
  throw untakeable(`no box ${type}`);
}

/** The 32 bits at `at`. @throws BewaardError CAMERA_STREAM when they lie beyond the end. */
export function u32(bytes: Buffer, at: number): number {
  if (at < 0 || at + 4 > bytes.length) throw untakeable("a box that is too short");
  return bytes.readUInt32BE(at);
}

/** The 64 bits at `at`: ticks of a clock that started with the stream. @throws as `u32`. */
export function u64(bytes: Buffer, at: number): number {
  const ticks = u32(bytes, at) * 2 ** 32 + u32(bytes, at + 4);
  if (!Number.isSafeInteger(ticks)) throw untakeable("a time beyond all times");
  return ticks;
}

function typeAt(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at, at + 4);
}
