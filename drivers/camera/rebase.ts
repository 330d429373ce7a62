import type { Fragment } from "./fragments.ts";

/**
 * The fragment with its time counted from `fromMs` of the stream: only the start of each track in a copy of
 * its moof differs (AR-16). What would start before it starts at 0.
 */
export function rebased(fragment: Fragment, fromMs: number): readonly Buffer[] {
  const [moof, ...pictures] = fragment.bytes;
  if (!moof) return [];
  const copy = Buffer.from(moof);
  for (const run of fragment.runs) {
    const fromTicks = Math.round((fromMs / 1000) * run.track.timescale);
    const ticks = Math.max(0, run.startTicks - fromTicks);
    if (run.wide) copy.writeBigUInt64BE(BigInt(ticks), run.startAt);
    else copy.writeUInt32BE(ticks, run.startAt);
  }
  return [copy, ...pictures];
}
