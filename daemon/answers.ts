import { parseDeviceId } from "#base/ids";
import { type Clock, type Instant, instant, isoOf } from "#base/time";
import type { Config } from "../config/schema.ts";
import { countStates } from "../storage/catalog/due.ts";
import { readDuties } from "../storage/catalog/duties.ts";
import { spoolBytes } from "../storage/catalog/evict.ts";
import { knownFiles } from "../storage/catalog/find.ts";
import { countHolds } from "../storage/catalog/holds.ts";
import { countLeft } from "../storage/catalog/left.ts";
import { seenElsewhere } from "../storage/catalog/seen.ts";
import { check, type Kept } from "../storage/check.ts";
import { newestCheckpoint } from "../storage/ledger/checkpoint.ts";
import { readRaised } from "./alarms/raised.ts";
import { find } from "./answer-find.ts";
import { newestBackup } from "./backup/known.ts";
import type { Answers, Result } from "./control/protocol.ts";
import { dutyAnswers } from "./duties.ts";
import { deskReadTo } from "./heed.ts";
import { holdAnswers } from "./hold-answers.ts";
import { markAnswers } from "./incident-marks.ts";
import { ledgerAnswers } from "./ledger-answers.ts";
import type { AskHistory } from "./one-history.ts";
import type { BodycamAnswers } from "./pairing/answers.ts";
import type { MakeRoom } from "./ring.ts";
import { confirmTime, timeTrust } from "./trust.ts";
import type { WipeAnswers } from "./wipe/wipe-answers.ts";

/** What core answers over its socket. */
export function answers(
  clock: Clock,
  config: Config,
  kept: Kept,
  makeRoom: MakeRoom,
  askHistory: AskHistory,
  signal: AbortSignal,
): Omit<Answers, keyof BodycamAnswers | keyof WipeAnswers | "docks.set-time"> {
  const { database } = kept;
  return {
    ...dutyAnswers(clock, database),
    ...markAnswers(clock, database),
    ...holdAnswers(database),
    ...ledgerAnswers(kept, config.timestamps?.authority, signal),
    status: async () => status(clock, config, kept, await askHistory(signal)),
    find: (params) => find(database, params),
    verify: ({ depth }, watch) =>
      check(kept, depth, clock.now(), signal, watch).then(({ findings, notes, ...counts }) => ({
        findings: [...findings],
        notes: [...notes],
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
      const camera = parseDeviceId(device);
      const here = await knownFiles(database, camera, wanted);
      const elsewhere = await seenElsewhere(database, camera, wanted, clock.now());
      return { known: here.map((known, index) => known || elsewhere[index] === true) };
    },
    room: async ({ bytes, urgent }) => ({ granted: await makeRoom(bytes, urgent) }),
  };
}

async function status(
  clock: Clock,
  config: Config,
  { database }: Kept,
  history: Result<"status">["history"],
): Promise<Result<"status">> {
  const newest = await newestCheckpoint(database);
  const left = await countLeft(database);
  const duties = await readDuties(database);
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
    history,
    alarms: (await readRaised(database))
      .toSorted((one, other) => one.at - other.at)
      .map(({ alarm, about, at }) => ({ alarm, about, since: isoOf(at) })),
    deskReadTo: (await deskReadTo(database))?.number ?? 0,
    left: { files: left.files, decideBy: isoOrNull(left.decideBy) },
    duties: { open: duties.length, since: isoOrNull(duties[0]?.openedAt) },
    backupAt: isoOrNull(await newestBackup(database)),
  };
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : isoOf(at);
}
