import { type DeviceId, parseDeviceId } from "#base/ids";
import { type Clock, type Instant, instant, isoOf } from "#base/time";
import type { Config } from "../config/schema.ts";
import { spoolBytes } from "../storage/catalog/copies.ts";
import { countStates } from "../storage/catalog/due.ts";
import { findGaps, findSegments, knownFiles } from "../storage/catalog/find.ts";
import { countHolds } from "../storage/catalog/holds.ts";
import { check, type Kept } from "../storage/check.ts";
import { newestCheckpoint } from "../storage/ledger/checkpoint.ts";
import type { Answers, Params, Result } from "./control/protocol.ts";
import { deskReadTo } from "./heed.ts";
import type { MakeRoom } from "./ring.ts";
import { confirmTime, timeTrust } from "./trust.ts";

/** What core answers over its socket. */
export function answers(
  clock: Clock,
  config: Config,
  kept: Kept,
  makeRoom: MakeRoom,
  signal: AbortSignal,
): Answers {
  const { database } = kept;
  return {
    status: () => status(clock, config, kept),
    find: (params) => find(kept, params),
    verify: ({ depth }) =>
      check(kept, depth, clock.now(), signal).then(({ findings, ...counts }) => ({
        findings: [...findings],
        ...counts,
      })),
    "clock.confirm": async ({ timeMs, by }) => ({
      offMs: await confirmTime(clock, database, instant(timeMs), by),
    }),
    known: async ({ device, files }) => {
      const wanted = files.map(({ path, bytes, modifiedAtMs }) => ({
        path: Buffer.from(path, "base64"),
        bytes,
        modifiedAt: instant(modifiedAtMs),
      }));
      return { known: [...(await knownFiles(database, parseDeviceId(device), wanted))] };
    },
    room: async ({ bytes }) => ({ granted: await makeRoom(bytes) }),
  };
}

async function status(clock: Clock, config: Config, { database }: Kept): Promise<Result<"status">> {
  const newest = await newestCheckpoint(database);
  return {
    site: config.site.name,
    node: config.node,
    states: { ...(await countStates(database)) },
    holds: await countHolds(database),
    spoolBytes: await spoolBytes(database),
    spoolLimitBytes: config.spool.limit,
    clock: await timeTrust(clock, database),
    checkpoint: newest
      ? { size: newest.size, publishedAt: newest.publishedAt ? isoOf(newest.publishedAt) : null }
      : null,
    deskReadTo: (await deskReadTo(database))?.number ?? 0,
  };
}

async function find({ database }: Kept, params: Params<"find">): Promise<Result<"find">> {
  const device: DeviceId | undefined =
    params.device === null ? undefined : parseDeviceId(params.device);
  const window = { device, from: instant(params.fromMs), to: instant(params.toMs) };
  const segments = await findSegments(database, window);
  const gaps = await findGaps(database, window);
  return {
    segments: segments.map((one) => ({
      id: one.id,
      device: one.device,
      startedAt: isoOf(one.startedAt),
      alternativeStartedAt: isoOrNull(one.alternativeStartedAt),
      endedAt: isoOrNull(one.endedAt),
      timeTrust: one.timeTrust,
      dueAt: isoOf(one.dueAt),
      bytes: one.plaintextBytes,
      state: one.state,
      hold: one.hold,
    })),
    gaps: gaps.map((gap) => ({
      device: gap.device,
      startedAt: isoOf(gap.startedAt),
      endedAt: isoOf(gap.endedAt),
      cause: gap.cause,
    })),
  };
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : isoOf(at);
}
