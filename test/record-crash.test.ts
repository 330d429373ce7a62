import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import type { Step } from "#base/step";
import { instant } from "#base/time";
import { settleCutOff } from "../daemon/leftovers.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { CHUNK_BYTES } from "../storage/seal/chunk.ts";
import { salvageSealed } from "../storage/seal/salvage.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { createIncoming, segmentPath } from "../storage/spool/spool.ts";
import { openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const RECORDING = fileURLToPath(new URL("./crash/recording.ts", import.meta.url));
const FOOTAGE = randomBytes(400_000);
/** The steps of a segment; the others of a recorder are those of its gaps. */
const STEPS_OF_SEALING: readonly Step[] = [
  "record.intended",
  "record.created",
  "record.header-synced",
  "record.corrected",
  "record.bytes-synced",
  "record.named",
  "record.durable",
  "record.handed-over",
];
/** What test/crash/recording.ts pushes at once. */
const PIECE_BYTES = 50_000;

interface Killed {
  readonly how: string;
  /** What it said, a line each. */
  readonly said: readonly string[];
}

interface Kept {
  readonly truncated: boolean;
  readonly footage: Buffer;
}

async function recordKilledAt(
  rig: Rig,
  incoming: string,
  step: Step | undefined,
  nth: number,
): Promise<Killed> {
  const env = { ...process.env, CRASH_AT: step, CRASH_NTH: String(nth) };
  const child = spawn(
    process.execPath,
    ["--import", HOOK, RECORDING, join(rig.folder, "recorder"), incoming, String(START)],
    { env, stdio: ["ignore", "pipe", "inherit"] },
  );
  const said = text(child.stdout);
  await once(child, "exit");
  return { how: String(child.signalCode ?? child.exitCode), said: (await said).trim().split("\n") };
}

/** Killed from outside as soon as it has said so many lines. */
async function recordKilledAfter(rig: Rig, incoming: string, lines: number): Promise<Killed> {
  const child = spawn(
    process.execPath,
    [RECORDING, join(rig.folder, "recorder"), incoming, String(START)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    said += more;
    if (said.split("\n").length > lines) child.kill("SIGKILL");
  });
  await once(child, "close");
  return { how: String(child.signalCode ?? child.exitCode), said: said.trim().split("\n") };
}

async function prepared(rig: Rig): Promise<string> {
  const folder = join(rig.folder, "recorder");
  await mkdir(folder);
  await writeFile(join(folder, "footage"), FOOTAGE);
  const [day] = rig.sealing.book;
  await writeFile(join(folder, "recipients"), `2026-01-01 ${day?.recipient}\n`);
  return createIncoming(rig.spool, "record");
}

/** What of each kept segment opens, oldest first. */
async function keptFootage(rig: Rig): Promise<readonly Kept[]> {
  await rig.adoptOnce();
  const wanted = { device: WALL_CAMERA, from: instant(0), to: instant(9e12) };
  const segments = await findSegments(rig.database, wanted);
  const kept: Kept[] = [];
  for (const { id, arrivedAt, truncated } of segments) {
    const sealed = createReadStream(segmentPath(rig.spool, id, arrivedAt));
    const pieces = await Array.fromAsync(salvageSealed(sealed, decrypterOf(rig.identity)));
    kept.push({ truncated, footage: Buffer.concat(pieces) });
  }
  return kept;
}

/** How many bytes of `segment` the recorder said to be out of its hands. */
function saidOf({ said }: Killed, segment: number): number {
  const lines = said.map((line) => /^(\d) (\d+)$/.exec(line));
  const last = lines.findLast((line) => line?.[1] === String(segment));
  return Number(last?.[2] ?? 0);
}

async function assertKept(rig: Rig, killed: Killed): Promise<void> {
  const kept = await keptFootage(rig);
  assert.ok(kept.length <= 2, "a segment came twice");
  for (const [index, { truncated, footage }] of kept.entries()) {
    assert.ok(FOOTAGE.subarray(0, footage.length).equals(footage));
    if (!truncated) assert.equal(footage.length, FOOTAGE.length);
    const said = saidOf(killed, index + 1);
    assert.ok(said - footage.length <= PIECE_BYTES + CHUNK_BYTES, `${said - footage.length} lost`);
  }
  for (const segment of [1, 2]) {
    const isKept = kept.length >= segment;
    assert.ok(isKept || saidOf(killed, segment) <= PIECE_BYTES + CHUNK_BYTES, `no ${segment}`);
    const whole = killed.said.includes(`${segment} handed over`);
    if (whole) assert.equal(kept[segment - 1]?.truncated, false);
  }
  assert.deepEqual(await rig.check(), []);
}

describe("a recorder killed while it seals, and what is left settled (invariant 8)", () => {
  for (const step of STEPS_OF_SEALING) {
    it(`at ${step}: whole or truncated, nothing twice, at most a fragment and a chunk lost`, async () => {
      for (const nth of [1, 2]) {
        await using rig = await openRig({ producer: "record" });
        const incoming = await prepared(rig);
        const killed = await recordKilledAt(rig, incoming, step, nth);
        assert.equal(killed.how, "SIGKILL", `it never came to ${step}`);
        await settleCutOff(rig.events, incoming);
        const left = await readdir(incoming);
        assert.deepEqual(
          left.filter((name) => !/\.(?:age|json)$/.test(name)),
          [],
        );
        await assertKept(rig, killed);
        assert.deepEqual(await readdir(incoming), []);
      }
    });
  }

  it("at any moment: the same, whatever it was doing", async () => {
    let kills = 0;
    for (const lines of [1, 3, 6, 8, 11, 15]) {
      await using rig = await openRig({ producer: "record" });
      const incoming = await prepared(rig);
      const killed = await recordKilledAfter(rig, incoming, lines);
      // On a busy machine it may be done before we come.
      kills += killed.how === "SIGKILL" ? 1 : 0;
      await settleCutOff(rig.events, incoming);
      await assertKept(rig, killed);
      assert.deepEqual(await readdir(incoming), []);
    }
    assert.ok(kills > 0);
  });
});
