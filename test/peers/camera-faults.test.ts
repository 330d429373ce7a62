import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { type Instant, instantOf, SECOND_MS } from "#base/time";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { complaints } from "./probe.ts";
import {
  CAMERA_LOGIN,
  type Fault,
  openScriptedCamera,
  type ScriptedCamera,
} from "./scripted-camera.ts";
import { kept, opened, openWall, seen, stateOf, type Wall, whileRecording } from "./wall.ts";

/** What becomes of a camera with a fault. */
interface Expected {
  /** Its state while the fault lasts. */
  readonly state: "recording" | "stalled" | "backing off";
  /** Of its gap; undefined where it does no harm. */
  readonly cause: string | undefined;
  /** What else the fault takes to show: it is for those who connect anew. */
  readonly anew?: true;
  /** There is footage under its gaps: one in each segment that it touches. */
  readonly kept?: true;
  /** That is told as well. */
  readonly event?: string;
}

const EXPECTED = {
  freeze: { state: "stalled", cause: "camera-stalled" },
  mute: { state: "stalled", cause: "camera-stalled" },
  loss: { state: "recording", cause: "packets-lost", event: "camera-damaged", kept: true },
  skew: { state: "recording", cause: undefined, event: "camera-clock" },
  wrap: { state: "recording", cause: "camera-lost", anew: true },
  parameters: { state: "recording", cause: undefined },
  garbage: { state: "backing off", cause: "camera-stream" },
  expired: { state: "recording", cause: undefined },
  password: { state: "backing off", cause: "camera-login", anew: true },
  basic: { state: "backing off", cause: "camera-login", anew: true },
  redirect: { state: "backing off", cause: "camera-refused", anew: true },
  "foreign control": { state: "backing off", cause: "camera-refused", anew: true },
  mp2t: { state: "backing off", cause: "camera-stream", anew: true },
  "endless header": { state: "backing off", cause: "camera-stream", anew: true },
  "endless body": { state: "backing off", cause: "camera-stream", anew: true },
  close: { state: "recording", cause: "camera-lost" },
  reset: { state: "recording", cause: "camera-lost" },
  unplug: { state: "backing off", cause: "camera-unreachable" },
} as const satisfies Partial<Record<Fault | "close" | "reset" | "unplug", Expected>>;

type Name = keyof typeof EXPECTED;
const NAMES = Object.keys(EXPECTED).filter((name): name is Name => name in EXPECTED);
/** How long a fault lasts at least: some attempts, and until a clock that was set is believed. */
const FAULT_MS = 20 * SECOND_MS;
const BACK_WITHIN_MS = 35 * SECOND_MS;
/** Of a segment's own, after a fault that began or ended in it. */
const SECONDS = 5;

interface Piece {
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What is known of one camera at the end. */
interface Story {
  readonly states: readonly string[];
  readonly faultAt: Instant;
  readonly healedAt: Instant;
  /** From its return to being recorded. */
  readonly backMs: number;
  readonly segments: Awaited<ReturnType<typeof kept>>["segments"];
  readonly gaps: Awaited<ReturnType<typeof kept>>["gaps"];
}

const numberOf = (name: Name): string => `cam-${NAMES.indexOf(name) + 1}`;

async function turn(camera: ScriptedCamera, name: Name): Promise<void> {
  if (name === "close" || name === "reset") return camera.disconnect(name);
  if (name === "unplug") return camera.unplug();
  await camera.turn(name);
  if ("anew" in EXPECTED[name]) camera.disconnect("reset");
}

async function isRecording(wall: Wall, name: Name): Promise<boolean> {
  return (await stateOf(wall.config, numberOf(name)))?.state === "recording";
}

/** A camera's fault from its beginning until it is recorded again. */
async function suffer(wall: Wall, camera: ScriptedCamera, name: Name) {
  const faultAt = systemClock.now();
  await turn(camera, name);
  const states: string[] = [];
  const note = async (): Promise<string> => {
    const state = (await stateOf(wall.config, numberOf(name)))?.state ?? "none";
    if (states.at(-1) !== state) states.push(state);
    return state;
  };
  const untilMs = systemClock.uptimeMs() + FAULT_MS;
  while (systemClock.uptimeMs() < untilMs) {
    await note();
    await systemClock.sleep(200, NEVER);
  }
  // Whatever it stands at between two attempts.
  await seen(
    `${name} is ${EXPECTED[name].state}`,
    async () => (await note()) === EXPECTED[name].state,
    60 * SECOND_MS,
  );
  camera.heal();
  await camera.plugIn();
  const healedAt = systemClock.now();
  await seen(`${name} is back`, () => isRecording(wall, name), 2 * BACK_WITHIN_MS);
  return { states, faultAt, healedAt, backMs: systemClock.now() - healedAt };
}

function isUnder(gap: Piece, segment: Piece): boolean {
  return segment.startedAt <= gap.startedAt && (segment.endedAt ?? "") >= (gap.endedAt ?? "");
}

/** As long as the fault lasted, and in each segment at most one. */
function assertUnderFootage({ segments, gaps, healedAt }: Story, cause: string | undefined): void {
  assert.ok(gaps.length > 1);
  const last = instantOf(gaps.at(-1)?.endedAt ?? "1970-01-01T00:00:00.000Z");
  // A group of pictures lasts a second.
  assert.ok(last >= healedAt - 1000 && last <= healedAt + 2500, `${last - healedAt} ms`);
  const under = gaps.map((gap) => {
    assert.equal(gap.cause, cause);
    return segments.findIndex((one) => isUnder(gap, one));
  });
  assert.ok(!under.includes(-1), "a gap that is not under one segment");
  assert.equal(new Set(under).size, under.length, "two gaps under one segment");
}

describe("one recorder and many cameras, each with a fault of its own", function () {
  this.timeout(300_000);
  const stories = new Map<Name, Story>();
  const wrong = new Map<string, string>();
  let said: readonly string[] = [];

  before(async () => {
    await using folder = await temporaryFolder();
    const video = await filmed(folder.path, SMALL_FILM);
    const cameras = new Map<Name, ScriptedCamera>();
    await using all = new AsyncDisposableStack();
    for (const name of NAMES)
      cameras.set(name, all.use(await openScriptedCamera(folder.path, { video })));
    const configured = [...cameras].map(([name, { url }]) => ({
      number: numberOf(name),
      url,
      ...CAMERA_LOGIN,
    }));
    await using wall = await openWall(configured, SECONDS);
    await whileRecording(wall, async (ask) => {
      for (const name of NAMES)
        await seen(`${name} at first`, () => isRecording(wall, name), 60 * SECOND_MS);
      await systemClock.sleep(SECONDS * SECOND_MS, NEVER);
      const suffered = await Promise.all(
        [...cameras].map(
          async ([name, camera]) => [name, await suffer(wall, camera, name)] as const,
        ),
      );
      await systemClock.sleep(2 * SECONDS * SECOND_MS, NEVER);
      for (const [name, story] of suffered)
        stories.set(name, { ...story, ...(await kept(ask, numberOf(name))) });
    });
    said = wall.lines;
    for (const [name, { segments, gaps }] of stories)
      for (const segment of segments) {
        // What is lost on the way the decoder sees; nothing else.
        if (gaps.some((gap) => isUnder(gap, segment))) continue;
        const complaint = await complaints(await opened(wall, segment));
        if (complaint !== "") wrong.set(name, complaint);
      }
  });

  for (const name of NAMES) {
    const { state, cause, ...more }: Expected = EXPECTED[name];
    it(`${name}: is ${state}, ${cause ? `is a gap, ${cause},` : "loses nothing"} and is recorded again in time`, () => {
      const story = stories.get(name);
      assert.ok(story);
      assert.ok(story.states.includes(state), story.states.join(", "));
      assert.ok(story.backMs <= BACK_WITHIN_MS, `${story.backMs} ms`);
      const causes = story.gaps.map((gap) => gap.cause);
      if (more.kept) assertUnderFootage(story, cause);
      else assert.deepEqual(causes, cause === undefined ? [] : [cause]);
      const [first] = story.gaps;
      if (first)
        assert.ok(Math.abs(instantOf(first.startedAt) - story.faultAt) <= 1500, first.startedAt);
      for (const { startedAt, endedAt } of story.gaps) {
        assert.ok(instantOf(endedAt) >= instantOf(startedAt));
        if (state !== "recording") assert.ok(instantOf(endedAt) >= story.healedAt, endedAt);
      }
      // Footage and gaps are all there is, one behind the other.
      const pieces = [...story.segments, ...(more.kept ? [] : story.gaps)].toSorted((a, b) =>
        a.startedAt.localeCompare(b.startedAt),
      );
      for (const [index, { startedAt }] of pieces.entries()) {
        const ended = pieces[index - 1]?.endedAt ?? startedAt;
        assert.ok(
          Math.abs(instantOf(startedAt) - instantOf(ended)) <= 600,
          `${ended} ${startedAt}`,
        );
      }
      assert.equal(wrong.get(name), undefined);
      if (more.event !== undefined)
        assert.ok(
          said.some(
            (line) => line.includes(`"${more.event}"`) && line.includes(`"${numberOf(name)}"`),
          ),
        );
    });
  }
});
