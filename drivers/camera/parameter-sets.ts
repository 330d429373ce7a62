import { untakeable } from "./boxes.ts";

/** The parameter sets in force, by type and number: what a decoder must have before a picture. */
export type ParameterSets = ReadonlyMap<string, string>;

type Codec = "h264" | "h265";

/** What avcC or hvcC says (ISO 14496-15 §5.3.3.1, §8.3.3.1). */
interface Configuration {
  readonly codecText: string;
  readonly lengthBytes: number;
  readonly sets: ParameterSets;
}

const PARAMETER_TYPES = { h264: new Set([7, 8]), h265: new Set([32, 33, 34]) } as const;
/** H.265 numbers its slices below 32, H.264 1 to 5. */
const PICTURE_TYPES = {
  h264: (type: number) => type >= 1 && type <= 5,
  h265: (type: number) => type < 32,
} as const;
/** The types whose first number behind the head is their own: the PPS of both, and with a step the SPS of H.264. */
const NUMBER_AT: Readonly<Record<string, number>> = { "h264:7": 4, "h264:8": 1, "h265:34": 2 };

/** Cameras have two or three of some 50 bytes each. What is in force is kept, compared and written in heads. */
const MOST_SETS = 24;
const MOST_SET_BYTES = 4096;

/** Where the length of lengths stands. */
const LENGTH_AT = { h264: 4, h265: 21 } as const;

/** The type of a NAL unit, from its first byte. */
export function typeOf(codec: Codec, first: number): number {
  return codec === "h264" ? first & 0x1f : (first >> 1) & 0x3f;
}

/** Whether a NAL unit of this type is a piece of a picture. */
export function isPicture(codec: Codec, type: number): boolean {
  return PICTURE_TYPES[codec](type);
}

/** Whether a NAL unit of this type is a VPS, SPS or PPS. */
export function isParameterSet(codec: Codec, type: number): boolean {
  return PARAMETER_TYPES[codec].has(type);
}

/**
 * The sets in force once `units` have come, those that came last at the end: one of the same type and number
 * takes the other's place.
 * @throws BewaardError CAMERA_STREAM for more, or larger ones, than pictures need.
 */
export function withSets(
  codec: Codec,
  sets: ParameterSets,
  units: readonly Buffer[],
): ParameterSets {
  const all = new Map(sets);
  for (const padded of units) {
    const unit = withoutPadding(padded);
    const type = typeOf(codec, unit[0] ?? 0);
    if (!isParameterSet(codec, type)) continue;
    const at = NUMBER_AT[`${codec}:${type}`];
    const key = `${type}:${at === undefined ? 0 : numberAt(unit, at)}`;
    if (unit.length > MOST_SET_BYTES) throw untakeable("a parameter set beyond all measure");
    all.delete(key);
    all.set(key, unit.toString("hex"));
  }
  if (all.size > MOST_SETS) throw untakeable("too many parameter sets");
  return all;
}

/** No unit ends in zeros (H.264 §7.4.1): those were between it and the next, where units have no lengths. */
function withoutPadding(unit: Buffer): Buffer {
  let length = unit.length;
  while (unit[length - 1] === 0) length -= 1;
  return unit.subarray(0, length);
}

/** One text for the same sets, whatever order they came in. */
export function textOf(sets: ParameterSets): string {
  return [...sets]
    .map(([key, hex]) => `${key}=${hex}`)
    .toSorted()
    .join(" ");
}

/** @throws BewaardError CAMERA_STREAM when it is cut short. */
export function setsOfConfiguration(codec: Codec, entry: string, bytes: Buffer): Configuration {
  const reader = readerOf(bytes);
  const units: Buffer[] = [];
  reader.skip(LENGTH_AT[codec]);
  const lengthBytes = (reader.byte() & 3) + 1;
  if (codec === "h264") {
    for (const mask of [0x1f, 0xff]) units.push(...reader.units(reader.byte() & mask));
  } else {
    for (let arrays = reader.byte(); arrays > 0; arrays -= 1) {
      reader.skip(1);
      units.push(...reader.units(reader.short()));
    }
  }
  const codecText =
    codec === "h264" ? `${entry}.${bytes.toString("hex", 1, 4)}` : h265Text(entry, bytes);
  return { codecText, lengthBytes, sets: withSets(codec, new Map(), units) };
}

/** Profile, compatibility, tier and level, as ISO 14496-15 annex E writes them. */
function h265Text(entry: string, bytes: Buffer): string {
  const [profile = 0, level = 0] = [bytes[1], bytes[12]];
  const constraints = [...bytes.subarray(6, 12)].map((one) => one.toString(16).toUpperCase());
  while (constraints.at(-1) === "0") constraints.pop();
  const tier = `${(profile & 0x20) === 0 ? "L" : "H"}${level}`;
  const space = ["", "A", "B", "C"][profile >> 6] ?? "";
  const compatible = reversed(bytes.readUInt32BE(2)).toString(16).toUpperCase();
  return [entry, `${space}${profile & 0x1f}`, compatible, tier, ...constraints].join(".");
}

/** The 32 bits in the other order. */
function reversed(bits: number): number {
  let found = 0;
  for (let at = 0; at < 32; at += 1) found = found * 2 + ((bits >>> at) & 1);
  return found;
}

/** The number written as Exp-Golomb at byte `at`, for 0 to 31; those beyond are told apart by their bytes. */
function numberAt(unit: Buffer, at: number): number {
  const bits = ((unit[at] ?? 0) << 8) | (unit[at + 1] ?? 0);
  const zeros = Math.clz32(bits) - 16;
  if (zeros > 4) return bits;
  return (bits >> (15 - 2 * zeros)) - 1;
}

interface Reader {
  skip(count: number): void;
  byte(): number;
  short(): number;
  units(count: number): readonly Buffer[];
}

function readerOf(bytes: Buffer): Reader {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw untakeable("parameter sets cut short");
    at += count;
    return bytes.subarray(at - count, at);
  };
  const short = (): number => take(2).readUInt16BE(0);
  return {
    skip: (count) => void take(count),
    byte: () => take(1).readUInt8(0),
    short,
    units: (count) => Array.from({ length: count }, () => take(short())),
  };
}
