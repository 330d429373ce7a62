import { BewaardError } from "#base/errors";
import { parseDeviceId, parseSegmentId } from "#base/ids";
import { printable } from "#base/printable";
import { type Instant, instant, instantOf, isoOf } from "#base/time";
import {
  catalogReach,
  type Found,
  findGaps,
  findSegments,
  type Gap,
  type Part,
} from "../storage/catalog/find.ts";
import { findLeft, type LeftFile } from "../storage/catalog/left.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Params, Result } from "./control/protocol.ts";

/** How many are given where nobody says how many. */
const LIMIT = 10_000;

/**
 * Answers a search by time, camera and place: segments and gaps, at most `limit` together, in order of
 * start. What was left out comes with the next question.
 */
export async function find(database: Database, params: Params<"find">): Promise<Result<"find">> {
  const window = {
    device: params.device === null ? undefined : parseDeviceId(params.device),
    from: instant(params.fromMs),
    to: instant(params.toMs),
  };
  const limit = params.limit ?? LIMIT;
  const after = params.after === undefined ? undefined : markOf(params.after);
  // One more than asked for says whether there is more.
  const part: Part = { place: params.place, after, limit: limit + 1 };
  const segments = await findSegments(database, window, part);
  const gaps = await findGaps(database, window, part);
  const all = [...segments, ...gaps].toSorted(byStart);
  const given = new Set(all.slice(0, limit));
  const last = all.length > limit ? all[limit - 1] : undefined;
  const reach = await catalogReach(database, params.place);
  return {
    segments: segments.filter((one) => given.has(one)).map(segmentShown),
    gaps: gaps.filter((one) => given.has(one)).map(gapShown),
    // With the first part only: they have no place in the order of starts.
    left: after ? [] : (await findLeft(database, window)).map(leftShown),
    more: last ? `${isoOf(last.startedAt)}/${last.id}` : null,
    knownFrom: isoOrNull(reach.from),
    places: [...reach.places],
  };
}

function segmentShown(one: Found): Result<"find">["segments"][number] {
  return {
    id: one.id,
    device: one.device,
    place: one.place ?? null,
    startedAt: isoOf(one.startedAt),
    alternativeStartedAt: isoOrNull(one.alternativeStartedAt),
    endedAt: isoOrNull(one.endedAt),
    timeSource: one.timeSource,
    timeTrust: one.timeTrust,
    arrivedAt: isoOf(one.arrivedAt),
    dueAt: isoOf(one.dueAt),
    holdableUntil: isoOf(one.holdableUntil),
    bytes: one.plaintextBytes ?? null,
    truncated: one.truncated,
    state: one.state,
    hold: one.hold,
  };
}

function gapShown(gap: Gap): Result<"find">["gaps"][number] {
  return {
    id: gap.id,
    device: gap.device,
    place: gap.place ?? null,
    startedAt: isoOf(gap.startedAt),
    endedAt: isoOf(gap.endedAt),
    cause: gap.cause,
  };
}

function leftShown(one: LeftFile): Result<"find">["left"][number] {
  return {
    id: one.id,
    device: one.device,
    name: printable(one.path),
    code: one.code,
    decideBy: isoOf(one.decideBy),
  };
}

/** @throws BewaardError CONTROL_REFUSED for what no answer has given out. */
function markOf(text: string): NonNullable<Part["after"]> {
  try {
    const [startedAt, id] = text.split("/");
    return { startedAt: instantOf(startedAt ?? ""), id: parseSegmentId(id ?? "") };
  } catch (cause) {
    const message = "vervolg klopt niet / --after is not what an earlier answer gave as `more`";
    throw new BewaardError("CONTROL_REFUSED", message, { cause });
  }
}

function byStart(a: Found | Gap, b: Found | Gap): number {
  return a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1);
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : isoOf(at);
}
