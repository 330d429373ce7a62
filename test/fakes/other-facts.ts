import { HOUR_MS, isoOf, plus } from "#base/time";
import { START } from "./rig.ts";

// What a manifest says instead where it is of no segment, for one who changes a segment's.

const NO_SEGMENT = {
  recording: undefined,
  file: undefined,
  sealedFor: undefined,
  rewritten: undefined,
  plaintext: undefined,
  ciphertext: undefined,
  truncated: undefined,
};
export const GAP = {
  ...NO_SEGMENT,
  kind: "gap",
  startedAt: isoOf(START),
  endedAt: isoOf(plus(START, HOUR_MS)),
  cause: "camera-lost",
};
export const LEFT = {
  ...NO_SEGMENT,
  kind: "left",
  file: { path: "RENJTQ==", bytes: 1, modifiedAt: isoOf(START) },
  code: "CARD_READ",
  decideBy: isoOf(plus(START, HOUR_MS)),
};
export const EMPTIED = { ...NO_SEGMENT, kind: "emptied", emptiedAt: isoOf(START), files: 1 };
