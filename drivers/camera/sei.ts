import type { Fragment } from "./fragments.ts";
import type { Init, Picture } from "./init.ts";
import { bytesAt, type NalUnit, nalUnitsOf, unescaped } from "./nal-units.ts";
import { typeOf } from "./parameter-sets.ts";

/** H.264 table D-1 and H.265 annex D: what cameras are known to send. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, "buffering period"],
  [1, "picture timing"],
  [4, "user data (T.35)"],
  [5, "user data (unregistered)"],
  [6, "recovery point"],
  [45, "frame packing"],
  [47, "display orientation"],
  [129, "active parameter sets"],
  [132, "picture hash"],
  [136, "time code"],
  [137, "mastering display"],
  [144, "light level"],
]);
const UNREGISTERED = 5;
const UUID_BYTES = 16;
/** Of user data (unregistered), by the UUID it starts with. */
const SIGNED: ReadonlyMap<string, string> = new Map([
  // ONVIF Media Signing Specification: github.com/onvif/media-signing-framework, README.
  ["005bc93f2d715e95ada4796f90877a6f", "signed video (ONVIF)"],
  // "Signed Video...0": github.com/AxisCommunications/signed-video-framework, README.
  ["5369676e656420566964656f2e2e2e30", "signed video (Axis)"],
]);
const SEI_TYPES = { h264: new Set([6]), h265: new Set([39, 40]) } as const;
/** A signature with its certificates takes some KiB; of a message that goes on, its start is enough. */
const MOST_BYTES = 65_536;
const MOST_MESSAGES = 64;

/** Names what messages a fragment's pictures carry beside themselves, each once, in order of the alphabet. */
export function seiNames(init: Init, fragment: Fragment): readonly string[] {
  const found = new Set<string>();
  const { video } = init;
  for (const run of fragment.runs) {
    if (run.track.id !== video.trackId) continue;
    for (const sample of run.samples) {
      for (const unit of nalUnitsOf(fragment.bytes, sample, video.lengthBytes)) {
        if (!isSei(video, unit)) continue;
        for (const name of namesIn(video, fragment, unit)) found.add(name);
      }
    }
  }
  return [...found].toSorted();
}

function isSei(picture: Picture, unit: NalUnit): boolean {
  return SEI_TYPES[picture.codec].has(typeOf(picture.codec, unit.first));
}

function namesIn(picture: Picture, fragment: Fragment, unit: NalUnit): readonly string[] {
  const headBytes = picture.codec === "h264" ? 1 : 2;
  const escaped = bytesAt(fragment.bytes, unit.at, Math.min(unit.size, MOST_BYTES));
  return messageNames(unescaped(escaped.subarray(headBytes)));
}

/** The messages of one SEI unit (H.264 §7.3.2.3.1), as far as they are there. */
function messageNames(payload: Buffer): readonly string[] {
  const names: string[] = [];
  let at = 0;
  /** A number is as many times 255 as there are such bytes, and the byte after them. */
  const next = (): number => {
    let sum = 0;
    while (payload[at] === 0xff) {
      sum += 0xff;
      at += 1;
    }
    sum += payload[at] ?? 0;
    at += 1;
    return sum;
  };
  // The last byte is the bit that ends the unit.
  while (at < payload.length - 1 && names.length < MOST_MESSAGES) {
    const type = next();
    const size = next();
    names.push(nameOf(type, payload.subarray(at, at + Math.min(size, UUID_BYTES))));
    at += size;
  }
  return names;
}

function nameOf(type: number, start: Buffer): string {
  const signed = type === UNREGISTERED ? SIGNED.get(start.toString("hex")) : undefined;
  return signed ?? NAMES.get(type) ?? `type ${type}`;
}
