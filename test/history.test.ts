import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { type DeviceId, parseDeviceId, parseNodeId } from "#base/ids";
import { HOUR_MS, type Instant, plus, SECOND_MS } from "#base/time";
import type { CameraHistory } from "../daemon/record/camera-history.ts";
import { gapTeller } from "../daemon/record/gap-teller.ts";
import { type History, openHistory } from "../daemon/record/history.ts";
import type { Untold } from "../daemon/record/mark.ts";
import { parseManifest } from "../storage/spool/manifest.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, type HandClock, handClock, START } from "./fakes/rig.ts";

const ONE = parseDeviceId("cam-0001");
const TWO = parseDeviceId("cam-0002");

interface Kept extends AsyncDisposable {
  readonly path: string;
  readonly clock: HandClock;
  readonly told: (readonly [DeviceId, Untold])[];
  readonly said: string[];
  /** A recorder that starts, with these cameras. */
  open(...devices: DeviceId[]): Promise<History>;
  /** While set, nothing can be told. */
  refuse(error: BewaardError | undefined): void;
}

async function kept(): Promise<Kept> {
  const folder = await temporaryFolder();
  const clock = handClock(START);
  const told: (readonly [DeviceId, Untold])[] = [];
  const said: string[] = [];
  let refusal: BewaardError | undefined;
  const path = join(folder.path, "marks.json");
  return {
    path,
    clock,
    told,
    said,
    open: (...devices) =>
      openHistory(clock, capturedEvents(said), path, devices, async (device, gap) => {
        if (refusal) throw refusal;
        told.push([device, gap]);
      }),
    refuse(error) {
      refusal = error;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** As core has them: a fact that comes again, under its id, is the same. */
function causes({ told }: Kept): readonly string[] {
  const once = new Map(told.map((one) => [one[1].id, one])).values().toArray();
  return once.map(([device, { cause, startedAt, endedAt }]) =>
    [device, cause, startedAt - START, endedAt - START].join(" "),
  );
}

/** A segment that began now. */
function resume(camera: CameraHistory, now: Instant): void {
  const segment = camera.segment(() => undefined);
  segment.written(now, now, now);
  segment.end();
}

/** A recorder that recorded ten seconds of `device` and knows it. */
async function recorded(rig: Kept, device: DeviceId): Promise<History> {
  const history = await rig.open(device);
  history.of(device).begin();
  const segment = history.of(device).segment(() => undefined);
  rig.clock.move(10_000);
  segment.written(START, rig.clock.now(), rig.clock.now());
  segment.end();
  await history.settle();
  return history;
}

describe("the recorder's history", () => {
  it("tells a gap once, after the marks with it are durable, and forgets it", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    history.of(ONE).break("camera-lost");
    rig.clock.move(5000);
    resume(history.of(ONE), rig.clock.now());
    await history.settle();
    await history.settle();
    assert.deepEqual(causes(rig), ["cam-0001 camera-lost 10000 15000"]);
    assert.doesNotMatch(await readFile(rig.path, "utf8"), /camera-lost/);
    assert.equal((await stat(rig.path)).mode & 0o777, 0o600);
  });

  it("tells it later, under the same id, when it could not be told or the recorder died", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    history.of(ONE).break("camera-lost");
    rig.clock.move(5000);
    resume(history.of(ONE), rig.clock.now());
    rig.refuse(new BewaardError("SPOOL_FULL", "full", { transient: true }));
    await assert.rejects(history.settle(), { code: "SPOOL_FULL" });
    const noted = await readFile(rig.path, "utf8");
    rig.refuse(undefined);
    await (await rig.open(ONE)).settle();
    const [[, gap] = []] = rig.told;
    assert.ok(gap && noted.includes(gap.id));
  });

  it("calls a recorder's death crashed and its own stop stopped", async () => {
    await using rig = await kept();
    await recorded(rig, ONE);
    rig.clock.move(30_000);
    const second = await rig.open(ONE);
    second.of(ONE).begin();
    rig.clock.move(1000);
    resume(second.of(ONE), rig.clock.now());
    second.stop();
    await second.settle();
    rig.clock.move(60_000);
    const third = await rig.open(ONE);
    third.of(ONE).begin();
    resume(third.of(ONE), rig.clock.now());
    await third.settle();
    assert.deepEqual(causes(rig), [
      "cam-0001 crashed 10000 41000",
      "cam-0001 stopped 41000 101000",
    ]);
  });

  it("ends what was expected of a camera that left the configuration", async () => {
    await using rig = await kept();
    await recorded(rig, ONE);
    rig.clock.move(20_000);
    const history = await rig.open(TWO);
    await history.settle();
    await history.settle();
    assert.deepEqual(causes(rig), ["cam-0001 crashed 10000 30000"]);
    assert.doesNotMatch(await readFile(rig.path, "utf8"), /cam-0001/);
  });

  it("tells a camera that stays away hour by hour", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    history.of(ONE).break("camera-lost");
    for (let hour = 0; hour < 3; hour += 1) {
      rig.clock.move(HOUR_MS);
      await history.settle();
    }
    assert.equal(rig.told.length, 3);
    assert.equal(history.of(ONE).gapSince(), plus(START, 10_000 + 3 * HOUR_MS));
  });

  it("waits with what is known of a segment for those that began before it", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    const camera = history.of(ONE);
    const at = (seconds: number): Instant => plus(START, seconds * SECOND_MS);
    const [one, two] = [camera.segment(() => undefined), camera.segment(() => undefined)];
    rig.clock.move(10_000);
    one.written(at(10), at(11), at(10));
    two.written(at(15), at(18), at(15));
    // The disk is too slow; what waits gets there, the newest first.
    camera.break("spool-slow");
    two.kept(at(15), at(20), at(20));
    two.end();
    await history.settle();
    assert.equal(camera.gapSince(), at(11));
    one.kept(at(10), at(15), at(15));
    one.end();
    rig.clock.move(10_000);
    resume(camera, rig.clock.now());
    await history.settle();
    assert.deepEqual(causes(rig), ["cam-0001 spool-slow 20000 30000"]);
  });

  it("asks each segment how far it is before it notes it, until it is ended", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    let asked = 0;
    const segment = history.of(ONE).segment(() => {
      asked += 1;
      segment.written(START, rig.clock.now(), START);
    });
    rig.clock.move(5000);
    await history.settle();
    segment.end();
    await history.settle();
    assert.equal(asked, 1);
    const second = await rig.open(ONE);
    second.of(ONE).begin();
    assert.equal(second.of(ONE).gapSince(), plus(START, 15_000));
  });

  it("takes up a camera after a power cut from what was synced", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    const segment = history.of(ONE).segment(() => undefined);
    rig.clock.move(10_000);
    segment.written(plus(START, 10_000), plus(START, 19_000), plus(START, 15_000));
    await history.settle();
    rig.clock.restart();
    rig.clock.jump(60_000);
    const second = await rig.open(ONE);
    second.of(ONE).begin();
    resume(second.of(ONE), rig.clock.now());
    await second.settle();
    assert.deepEqual(causes(rig), ["cam-0001 crashed 15000 80000"]);
  });

  it("remembers that a period was over, though wall time goes back and the recorder starts again (AR-40)", async () => {
    await using rig = await kept();
    const history = await recorded(rig, ONE);
    const until = plus(START, 10_000);
    assert.equal(history.of(ONE).periodEnded(until), false);
    history.of(ONE).endPeriod(until);
    // Of a camera that never recorded as well.
    history.of(TWO).endPeriod(until);
    await history.settle();
    await history.settle();
    rig.clock.jump(-HOUR_MS);
    const again = await rig.open(ONE, TWO);
    await again.settle();
    for (const camera of [again.of(ONE), again.of(TWO)]) {
      assert.deepEqual([camera.periodEnded(until), camera.expected()], [true, false]);
      // Another decision is another period.
      assert.equal(camera.periodEnded(plus(until, 1)), false);
    }
    assert.deepEqual(causes(rig), []);
  });

  it("calls lost what waited for the disk when its period ended, if it died before that was stored", async () => {
    await using rig = await kept();
    for (const [camera, dies] of [
      [ONE, true],
      [TWO, false],
    ] as const) {
      const from = rig.clock.now();
      const history = await rig.open(camera);
      const ours = history.of(camera);
      ours.begin();
      const segment = ours.segment(() => undefined);
      rig.clock.move(5000);
      segment.written(from, rig.clock.now(), rig.clock.now());
      rig.clock.move(5000);
      ours.endPeriod(rig.clock.now());
      await history.settle();
      if (!dies) {
        segment.kept(from, rig.clock.now(), rig.clock.now());
        segment.end();
        await history.settle();
      }
      const again = await rig.open(camera);
      rig.clock.move(5000);
      again.of(camera).endPeriod(rig.clock.now());
      await again.settle();
    }
    assert.deepEqual(causes(rig), ["cam-0001 crashed 5000 10000"]);
  });

  it("forgets what waited once that is stored, though the camera records again", async () => {
    await using rig = await kept();
    const history = await rig.open(ONE);
    const ours = history.of(ONE);
    ours.begin();
    const before = ours.segment(() => undefined);
    rig.clock.move(10_000);
    before.written(START, plus(START, 5000), plus(START, 5000));
    ours.excuse();
    ours.begin();
    const after = ours.segment(() => undefined);
    const now = rig.clock.now();
    after.written(now, now, now);
    before.kept(START, now, now);
    before.end();
    await history.settle();
    const again = await rig.open(ONE);
    again.of(ONE).excuse();
    await again.settle();
    assert.deepEqual(causes(rig), []);
  });

  it("begins anew, and says so, when its marks cannot be understood", async () => {
    await using rig = await kept();
    for (const text of ["", "{", '{"bewaard":"marks/1","marks":[["A B",{}]]}', "null"]) {
      await writeFile(rig.path, text);
      rig.said.length = 0;
      const history = await rig.open(ONE);
      history.of(ONE).begin();
      assert.deepEqual(rig.said, ["marks-unread"], text);
      assert.equal(history.of(ONE).gapSince(), undefined);
    }
  });

  it("hands a gap over as a fact that core believes", async () => {
    await using folder = await temporaryFolder();
    const clock = handClock(START);
    const tell = gapTeller(clock, parseNodeId("dock-1"), folder.path);
    const history = await openHistory(
      clock,
      capturedEvents([]),
      join(folder.path, "m"),
      [ONE],
      tell,
    );
    history.of(ONE).begin();
    history.of(ONE).break("camera-lost");
    clock.move(5000);
    resume(history.of(ONE), clock.now());
    await history.settle();
    const [name = ""] = (await readdir(folder.path)).filter((one) => one.endsWith(".json"));
    const { kind, producer } = parseManifest(await readFile(join(folder.path, name)));
    assert.deepEqual([kind, producer], ["gap", "record"]);
  });
});
