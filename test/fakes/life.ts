import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Step } from "#base/step";
import { HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { type DemoSite, makeDemoSite } from "../../daemon/demo/site.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";
import { leaveCutOff } from "./cut-off.ts";
import { NEVER } from "./rig.ts";

// The life of test/crash/life.ts: its site, its process, and how it must end.

const BORN = instant(Date.parse("2026-06-01T10:00:00.000Z"));
const HOOK = new URL("../crash/hook.ts", import.meta.url).href;
const LIFE = fileURLToPath(new URL("../crash/life.ts", import.meta.url));
/** What every recording starts with, and nothing else may contain (invariant 2). */
export const SIGNATURE = Buffer.from("ftypisom plaintext of a recording");

/** The last one claims to be from long before the camera was paired: not believed. */
const NAMES = ["20260601_113000", "20260601_114000", "20260601_115000", "20260101_120000"];

const outcome = z.object({
  segments: z.array(z.object({ id: z.string(), state: z.string(), hold: z.string() })),
  findings: z.array(z.object({ invariant: z.number(), what: z.string() })),
  states: z.record(z.string(), z.number()),
  holds: z.object({ requested: z.number(), inForce: z.number() }),
  gaps: z.array(z.object({ cause: z.string() })),
});

export async function makeLife(folder: string, notes = folder): Promise<void> {
  const secured = { directory: join(folder, "medium"), medium: "usb-schijf", serial: "WD-123" };
  const clock = simulatedClock(BORN);
  const site = await makeDemoSite(clock, folder, ["bc-0101"], 3, NEVER, { secured });
  const config = join(folder, "bewaard.yaml");
  // Small enough for two or three recordings: the ring has to overwrite while all this goes on.
  await writeFile(config, (await readFile(config, "utf8")).replace("20 GB", "1.2 MB"));
  const card = join(site.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  for (const [index, name] of NAMES.entries()) {
    const path = join(card, `${name}.MP4`);
    await writeFile(path, Buffer.concat([SIGNATURE, randomBytes(300_000)]));
    const modified = plus(BORN, -HOUR_MS / 2 + 10 * index * MINUTE_MS) / 1000;
    await utimes(path, modified, modified);
  }
  await leaveCrash(site);
  await writeFile(join(notes, "born"), String(BORN));
  await writeFile(join(notes, "now"), String(BORN));
}

/** A crash of yesterday, whose source is not on the card any more. */
async function leaveCrash({ config }: DemoSite): Promise<void> {
  const [day] = parseRecipientBook(await readFile(config.recipients, "utf8"));
  await leaveCutOff(join(config.spool.path, "incoming", "dock"), {
    node: config.node,
    recipient: day?.recipient ?? "",
    content: Buffer.concat([SIGNATURE, randomBytes(100_000)]),
    startedAt: plus(BORN, -5 * MINUTE_MS),
  });
}

export interface Life {
  readonly ended: Promise<{ out: string; err: string; how: NodeJS.Signals | number | null }>;
  kill(): void;
}

/** How a life is to go. */
export interface Course {
  readonly crashAt?: Step;
  /** At the how manieth time `crashAt` is reached. */
  readonly nth?: number;
  /** The folder of a timestamp authority's keys, where there is to be one. */
  readonly authority?: string;
  /** Whether what was destroyed grows so old that it is archived. */
  readonly archive?: boolean;
}

/** Starts the life in `folder`; what must outlive the folder's disk is noted in `notes`. */
export function startLife(folder: string, notes: string, course: Course): Life {
  const env = {
    ...process.env,
    CRASH_AT: course.crashAt ?? "",
    CRASH_NTH: String(course.nth ?? 1),
    AUTHORITY: course.authority ?? "",
    ARCHIVE: course.archive ? "yes" : "",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
  };
  // The threads that collect garbage beside a life of seconds cost a quarter more than they save.
  const args = ["--single-threaded-gc", "--import", HOOK, LIFE, folder, notes];
  const child = spawn(process.execPath, args, { env });
  const closed = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]);
  return {
    ended: ended.then(([out, err, how]) => ({ out, err, how })),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Goes on to the end of the life, or fails with what the process said. */
export async function finish(
  folder: string,
  notes: string,
  course: Course,
): Promise<z.output<typeof outcome>> {
  const { out, err, how } = await startLife(folder, notes, course).ended;
  assert.equal(how, 0, err);
  return outcome.parse(JSON.parse(out));
}

export function assertWhole(end: z.output<typeof outcome>, { archive }: Course): void {
  assert.deepEqual(end.findings, []);
  const kept = end.segments.map(({ state, hold }) => `${state}, ${hold}`).toSorted();
  const gone = Array.from({ length: archive ? 0 : 4 }, () => "destroyed, none");
  assert.deepEqual(kept, [...gone, "stored, in force"]);
  const { archived, destroyed, stored } = end.states;
  // Only what was destroyed can be archived: the catalog's own rule.
  const counts = archive ? [4, 0, 1] : [0, 4, 1];
  assert.deepEqual([archived ?? 0, destroyed ?? 0, stored ?? 0], counts);
  assert.deepEqual(end.holds, { requested: 0, inForce: 1 });
  assert.deepEqual(end.gaps, [{ cause: "ring-overwritten" }]);
}
