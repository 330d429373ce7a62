import { type Bits, bitsOf } from "./bits.ts";
import { unescaped } from "./nal-units.ts";

/** What a sequence parameter set says of its pictures, as far as a head repeats it. */
export interface Sps {
  /** In pixels, of what is shown. */
  readonly width: number;
  readonly height: number;
  /** 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  /** Bits of a sample beyond 8: of brightness, of colour. */
  readonly lumaBeyond8: number;
  readonly chromaBeyond8: number;
  /** Of H.265: how many layers of time, and whether each may be left out at any picture. */
  readonly layers: number;
  readonly nested: number;
  /** Of H.265: profile, tier, compatibility, constraints and level, in 12 bytes. */
  readonly profile: Buffer;
}

const MOST_PIXELS = 16_384;
/** Those with more in their SPS (H.264 §7.3.2.1.1). */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const PROFILE_BYTES = 12;
const MOST_LAYERS = 7;

/** Reads an SPS, its first byte included; undefined where it makes no sense. Never throws. */
export function readSps(codec: "h264" | "h265", unit: Buffer): Sps | undefined {
  const plain = unescaped(unit);
  const sps = codec === "h264" ? h264(plain) : h265(plain);
  const isPlausible =
    sps !== undefined &&
    [sps.width, sps.height].every((one) => one > 0 && one <= MOST_PIXELS) &&
    sps.chromaFormat <= 3 &&
    Math.max(sps.lumaBeyond8, sps.chromaBeyond8) <= 7;
  return isPlausible ? sps : undefined;
}

function h264(plain: Buffer): Sps | undefined {
  const bits = bitsOf(plain.subarray(1));
  const profile = bits.take(8);
  bits.take(16);
  bits.ue();
  const colour = HIGH_PROFILES.has(profile) ? colourOf(bits) : PLAIN_COLOUR;
  bits.ue();
  skipOrder(bits);
  bits.ue();
  bits.take(1);
  const [across, down] = [bits.ue() + 1, bits.ue() + 1];
  // Fields come two in a picture, and are counted apart.
  const perFrame = 2 - bits.take(1);
  if (perFrame === 2) bits.take(1);
  bits.take(1);
  const [left, right, top, bottom] = bits.take(1) === 1 ? fourOf(bits) : [0, 0, 0, 0];
  if (bits.isBeyond()) return undefined;
  const crop = cropUnits(colour.separate ? 0 : colour.chromaFormat);
  return {
    ...colour,
    width: 16 * across - crop.across * (left + right),
    height: perFrame * (16 * down - crop.down * (top + bottom)),
    layers: 1,
    nested: 0,
    profile: Buffer.alloc(0),
  };
}

const PLAIN_COLOUR = { chromaFormat: 1, lumaBeyond8: 0, chromaBeyond8: 0, separate: false };

function colourOf(bits: Bits): typeof PLAIN_COLOUR {
  const chromaFormat = bits.ue();
  const separate = chromaFormat === 3 && bits.take(1) === 1;
  const [lumaBeyond8, chromaBeyond8] = [bits.ue(), bits.ue()];
  bits.take(1);
  if (bits.take(1) === 1) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let list = 0; list < lists; list += 1)
      if (bits.take(1) === 1) skipScaling(bits, list < 6 ? 16 : 64);
  }
  return { chromaFormat, lumaBeyond8, chromaBeyond8, separate };
}

/** H.264 §7.3.2.1.1.1. */
function skipScaling(bits: Bits, size: number): void {
  let next = 8;
  for (let at = 0, last = 8; at < size && next !== 0; at += 1, last = next)
    next = (last + bits.se() + 256) % 256;
}

/** In what order pictures are shown. */
function skipOrder(bits: Bits): void {
  const type = bits.ue();
  if (type === 0) bits.ue();
  if (type !== 1) return;
  bits.take(1);
  bits.se();
  bits.se();
  const count = bits.ue();
  for (let at = 0; at < count && !bits.isBeyond(); at += 1) bits.se();
}

function h265(plain: Buffer): Sps | undefined {
  const bits = bitsOf(plain.subarray(2));
  bits.take(4);
  const beyondFirst = bits.take(3);
  const nested = bits.take(1);
  const profile = plain.subarray(3, 3 + PROFILE_BYTES);
  if (beyondFirst >= MOST_LAYERS) return undefined;
  for (let at = 0; at < PROFILE_BYTES; at += 1) bits.take(8);
  skipLayers(bits, beyondFirst);
  bits.ue();
  const chromaFormat = bits.ue();
  const separate = chromaFormat === 3 && bits.take(1) === 1;
  const [across, down] = [bits.ue(), bits.ue()];
  const [left, right, top, bottom] = bits.take(1) === 1 ? fourOf(bits) : [0, 0, 0, 0];
  const [lumaBeyond8, chromaBeyond8] = [bits.ue(), bits.ue()];
  if (bits.isBeyond()) return undefined;
  const crop = cropUnits(separate ? 0 : chromaFormat);
  return {
    width: across - crop.across * (left + right),
    height: down - crop.down * (top + bottom),
    chromaFormat,
    lumaBeyond8,
    chromaBeyond8,
    layers: beyondFirst + 1,
    nested,
    profile,
  };
}

/** Profile and level of layers of time beyond the first (H.265 §7.3.3). */
function skipLayers(bits: Bits, count: number): void {
  const present = Array.from({ length: count }, () => [bits.take(1), bits.take(1)] as const);
  if (count > 0) bits.take(2 * (8 - count));
  for (const [profile, level] of present) {
    for (let at = 0; at < 11 * profile + level; at += 1) bits.take(8);
  }
}

function fourOf(bits: Bits): readonly [number, number, number, number] {
  return [bits.ue(), bits.ue(), bits.ue(), bits.ue()];
}

/** In how many pixels one step of cropping counts: where colour is coarser, in those of colour. */
function cropUnits(chroma: number): { readonly across: number; readonly down: number } {
  return { across: chroma === 1 || chroma === 2 ? 2 : 1, down: chroma === 1 ? 2 : 1 };
}
