import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { newSegmentId } from "../../daemon/new-id.ts";
import { closeSweep } from "../../storage/catalog/batches.ts";
import { intendStore, recordStored } from "../../storage/catalog/copies.ts";
import { recordSealed } from "../../storage/catalog/record-sealed.ts";
import { type Segment, segmentOfRow } from "../../storage/catalog/segment-row.ts";
import { verifierText } from "../../storage/ledger/note.ts";
import { segmentPath } from "../../storage/spool/spool.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import { footageKey } from "../../storage/vault/keys.ts";
import { publish } from "../fakes/rebuilt-rig.ts";
import { NEVER, openRig, type Rig } from "../fakes/rig.ts";
import { type Figure, figure } from "./figure.ts";
import { option } from "./options.ts";

// A catalog made again from a directory vault with many small segments, and that vault swept; each in a process of
// its own. The last hundred came after the last head: they are read, and taken up by their facts.

const SIDE = fileURLToPath(new URL("./lost-side.ts", import.meta.url));
const UNTOLD = 100;
/** About what fifty cameras do between two heads. */
const PUBLISHED_AT_ONCE = 2000;
const told = z.object({ seconds: z.number(), peakBytes: z.number() });

export async function lostBench(): Promise<readonly Figure[]> {
  const count = option("segments", 20_000);
  await using rig = await openRig();
  const first = await sealOne(rig);
  const sealed = await readFile(segmentPath(rig.spool, first.id, first.arrivedAt));
  for (let index = 0; index < count; index += 1) {
    const published = index <= count - UNTOLD;
    if (index === count - UNTOLD || (published && index % PUBLISHED_AT_ONCE === 0))
      await publishAll(rig);
    await keep(rig, first, index, sealed);
  }
  await closeSweep(rig.database, "stored", rig.clock.now());
  const figures: Figure[] = [];
  for (const [what, seconds] of [
    ["rebuild", 120],
    ["sweep", 60],
  ] as const) {
    // What is young is collected at once: resident is what is kept.
    const args = ["--max-semi-space-size=2", SIDE, rig.folder, what, verifierText(rig.key)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const side = told.parse(JSON.parse(stdout));
    const per = `${what} of ${count} segments`;
    figures.push(figure(per, side.seconds, "s", `<= ${(seconds * count) / 20_000}`));
    figures.push(figure(`${per}: resident`, side.peakBytes / 1e6, "MB", "<= 250"));
  }
  return figures;
}

async function sealOne(rig: Rig): Promise<Segment> {
  await rig.keep("beeld");
  const [row] = await rig.database.transaction((sql) => sql.all("select * from segment"));
  if (!row) throw new Error("nothing was adopted");
  return segmentOfRow(row);
}

async function publishAll(rig: Rig): Promise<void> {
  await closeSweep(rig.database, "stored", rig.clock.now());
  await publish(rig);
}

/** As adopting and storing do it, with the same bytes for all. */
async function keep(rig: Rig, like: Segment, index: number, sealed: Buffer): Promise<void> {
  const now = rig.clock.now();
  const startedAt = plus(instant(like.startedAt), -index * MINUTE_MS);
  const id = newSegmentId(now);
  const sourcePath = Buffer.from(`copy ${index}`);
  const segment = { ...like, id, startedAt, endedAt: undefined, sourcePath };
  await recordSealed(rig.database, now, segment);
  const key = footageKey(rig.box.node, segment.device, startedAt, id);
  const facts = {
    id,
    device: segment.device,
    started: isoOf(startedAt),
    ended: "",
    "plaintext-sha256": segment.plaintextSha256 ?? "",
    "sealed-for": segment.sealedFor,
    arrived: isoOf(segment.arrivedAt),
    due: isoOf(segment.dueAt),
    producer: segment.producer,
    "time-trust": segment.timeTrust,
  };
  await intendStore(rig.database, id, now);
  const keeping = { facts, held: false, lockedUntil: undefined };
  const version = await rig.vault.put(key, bytesBody(sealed), keeping, NEVER);
  await recordStored(rig.database, id, version, undefined, now);
}
