import type { Fragment } from "./fragments.ts";
import type { Run } from "./moof.ts";

/**
 * The fragment with its time counted from `fromMs` of the stream: only times in a copy of its moof differ
 * (AR-16). Where pictures are stored in another order than they are shown in, the first of a segment is shown
 * `laterTicks` after it is decoded: all are then shown that much sooner and decoded that much later, so that
 * it is shown at 0. What would start before 0 starts at 0.
 */
export function rebased(fragment: Fragment, fromMs: number, laterTicks: number): readonly Buffer[] {
  const [moof, ...pictures] = fragment.bytes;
  if (!moof) return [];
  const copy = Buffer.from(moof);
  for (const run of fragment.runs) {
    const sooner = run.track.kind === "video" ? laterTicks : 0;
    const fromTicks = Math.round((fromMs / 1000) * run.track.timescale);
    writeStart(copy, run, Math.max(0, run.startTicks + sooner - fromTicks));
    if (sooner !== 0) showSooner(copy, run, sooner);
  }
  return [copy, ...pictures];
}

function writeStart(moof: Buffer, run: Run, ticks: number): void {
  if (run.wide) moof.writeBigUInt64BE(BigInt(ticks), run.startAt);
  // 32 bits hold 13 hours of a camera's clock; no segment is that long.
  else moof.writeUInt32BE(ticks % 2 ** 32, run.startAt);
}

/** Version 1 of a list lets pictures be shown before they are "decoded" (ISO 14496-12 §8.8.8). */
function showSooner(moof: Buffer, run: Run, ticks: number): void {
  for (const at of run.listsAt) moof.writeUInt8(1, at);
  for (const sample of run.samples) {
    if (sample.laterAt !== undefined)
      moof.writeInt32BE((sample.laterTicks - ticks) | 0, sample.laterAt);
  }
}
