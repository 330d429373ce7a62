import { type ParameterSets, typeOf } from "./parameter-sets.ts";
import { readSps } from "./sps.ts";

type Codec = "h264" | "h265";

/** The type of an SPS. */
export const SPS = { h264: 7, h265: 33 } as const;
/** Of H.265: VPS, SPS and PPS, in this order. */
const ARRAYS = [32, 33, 34] as const;
const FIRST_ARRAY_AT = 23;
/** Profiles of H.264 whose avcC says nothing of colour (ISO 14496-15 §5.3.3.1.2). */
const PLAIN_PROFILES = new Set([66, 77, 88]);

/** The SPS that came last: the one of the pictures to come, where a camera has more than one. */
export function spsIn(codec: Codec, sets: ParameterSets): Buffer | undefined {
  return unitsOf(codec, sets, SPS[codec]).at(-1);
}

/**
 * avcC or hvcC (ISO 14496-15 §5.3.3.1, §8.3.3.1) of `sets`. What an SPS that is not understood would say
 * stays as `before` has it, and so does how lengths are written.
 */
export function configurationOf(codec: Codec, sets: ParameterSets, before: Buffer): Buffer {
  return codec === "h264" ? avcC(sets, before) : hvcC(sets, before);
}

function avcC(sets: ParameterSets, before: Buffer): Buffer {
  const [all, others] = [unitsOf("h264", sets, SPS.h264), unitsOf("h264", sets, 8)];
  const unit = spsIn("h264", sets);
  const sps = unit && readSps("h264", unit);
  const head = Buffer.from(before.subarray(0, 6));
  if (unit && sps) unit.copy(head, 1, 1, 4);
  head.writeUInt8(0xe0 | all.length, 5);
  const colour = sps
    ? [0xfc | sps.chromaFormat, 0xf8 | sps.lumaBeyond8, 0xf8 | sps.chromaBeyond8, 0]
    : [];
  return Buffer.concat([
    head,
    ...all.map(withLength),
    Buffer.from([others.length]),
    ...others.map(withLength),
    Buffer.from(PLAIN_PROFILES.has(head.readUInt8(1)) ? [] : colour),
  ]);
}

function hvcC(sets: ParameterSets, before: Buffer): Buffer {
  const head = Buffer.from(before.subarray(0, FIRST_ARRAY_AT));
  const unit = spsIn("h265", sets);
  const sps = unit && readSps("h265", unit);
  if (sps) {
    sps.profile.copy(head, 1);
    // How a picture is divided and how many come in a second: not known.
    head.writeUInt16BE(0xf000, 13);
    head.writeUInt8(0xfc, 15);
    head.writeUInt8(0xfc | sps.chromaFormat, 16);
    head.writeUInt8(0xf8 | sps.lumaBeyond8, 17);
    head.writeUInt8(0xf8 | sps.chromaBeyond8, 18);
    head.writeUInt16BE(0, 19);
    head.writeUInt8((sps.layers << 3) | (sps.nested << 2) | (head.readUInt8(21) & 3), 21);
  }
  const arrays = ARRAYS.map((type) => unitsOf("h265", sets, type)).filter(
    ({ length }) => length > 0,
  );
  head.writeUInt8(arrays.length, 22);
  // Whether all there are stand here, which is said of each: hvc1 must say yes.
  const complete = (before[FIRST_ARRAY_AT] ?? 0) & 0x80;
  return Buffer.concat([head, ...arrays.map((units) => arrayOf(units, complete))]);
}

function arrayOf(units: readonly Buffer[], complete: number): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt8(complete | typeOf("h265", units[0]?.[0] ?? 0), 0);
  head.writeUInt16BE(units.length, 1);
  return Buffer.concat([head, ...units.map(withLength)]);
}

function unitsOf(codec: Codec, sets: ParameterSets, type: number): readonly Buffer[] {
  const units = [...sets.values()].map((hex) => Buffer.from(hex, "hex"));
  return units.filter((unit) => typeOf(codec, unit[0] ?? 0) === type);
}

function withLength(unit: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(unit.length);
  return Buffer.concat([length, unit]);
}
