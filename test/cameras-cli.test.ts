import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { z } from "zod";
import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, isoOf, plus } from "#base/time";
import { openBoard } from "../daemon/record/board.ts";
import { tellStates } from "../daemon/record/states-socket.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import {
  COVERT_CAMERA,
  GOOD_BOX,
  GOOD_CAMERA,
  SOUND_CAMERA,
  writtenIn,
} from "./fakes/configuration.ts";
import { openResponder, probeMatch } from "./fakes/discovery-responder.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { openOnvifDevice } from "./fakes/onvif-device.ts";

const CLI = new URL("../daemon/cli/bewaarctl.ts", import.meta.url).pathname;

async function bewaarctl(...args: readonly string[]) {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [CLI, ...args], { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    if (!(error instanceof Error && "stdout" in error && "stderr" in error)) throw error;
    const code = "code" in error ? Number(error.code) : -1;
    return { code, out: String(error.stdout), err: String(error.stderr) };
  }
}

/** A stream that nobody serves: port 1 of this machine. */
const DEAD = { url: "rtsp://127.0.0.1:1/stream1" };

/** A box with these cameras, each with its password. */
async function box(folder: string, cameras: readonly { number: string; onvif?: string }[]) {
  const config = { ...GOOD_BOX, informed_on: "2026-05-01", state: folder, cameras };
  const path = await writtenIn(folder, config);
  for (const { number } of cameras) {
    await writeFile(join(folder, `${number}.password`), "geheim\n", { mode: 0o600 });
  }
  return ["-c", path];
}

const tested = z.object({
  stored: z.boolean(),
  onvif: z.looseObject({ serial: z.string() }).nullable(),
  stream: z.looseObject({ code: z.string() }).nullable(),
  why: z.array(z.object({ nl: z.string(), en: z.string() })),
});

describe("bewaarctl cameras", function () {
  this.timeout(60_000);

  it("list tells where each is and whether it is in service; of a covert one its number (AR-40)", async () => {
    await using folder = await temporaryFolder();
    const { notice: _, ...unnoticed } = { ...SOUND_CAMERA, sound: false };
    const config = await box(folder.path, [GOOD_CAMERA, unnoticed, COVERT_CAMERA]);
    const { code, out } = await bewaarctl(...config, "cameras", "list");
    assert.equal(code, 0);
    assert.deepEqual(out.trimEnd().split("\n"), [
      "cam-0001  stadhuis/balie  in dienst / in service",
      "cam-0002  stadhuis/spreekkamer  niet in dienst / not in service",
      "cam-0009  -  buiten de periode / out of period",
      "de opnemer draait hier niet / no recorder runs here",
    ]);
    const json = await bewaarctl(...config, "--json", "cameras", "list");
    const live = null;
    assert.deepEqual(JSON.parse(json.out), {
      recorder: false,
      cameras: [
        { number: "cam-0001", place: "stadhuis/balie", service: "in service", live },
        { number: "cam-0002", place: "stadhuis/spreekkamer", service: "not in service", live },
        { number: "cam-0009", place: null, service: "out of period", live },
      ],
    });
  });

  it("list tells what the recorder is doing with each, where one runs", async () => {
    await using folder = await temporaryFolder();
    const config = await box(folder.path, [GOOD_CAMERA, SOUND_CAMERA]);
    const number = parseDeviceId(GOOD_CAMERA.number);
    const other = parseDeviceId(SOUND_CAMERA.number);
    const board = openBoard(systemClock, [number, other]);
    board.put(number, "backing off", "CAMERA_LOGIN");
    board.offset(number, -2500);
    const stop = new AbortController();
    board.put(other, "recording");
    board.offset(other, -40);
    const telling = tellStates(join(folder.path, "record.sock"), board, stop.signal);
    const { out } = await bewaarctl(...config, "cameras", "list");
    stop.abort();
    await telling;
    assert.match(
      out,
      /^cam-0001 .*\n {4}PROBEERT OPNIEUW \/ BACKING OFF \(CAMERA_LOGIN\) sinds \/ since \d.*, klok \/ clock -2\.5 s\n/,
    );
    assert.match(out, /klok \/ clock \+0\.0 s\n$/);
  });

  it("discover prints lines that the configuration takes once they are filled in", async () => {
    await using responder = await openResponder((question) => [
      probeMatch(question, { name: "Balie%0A%20%20-%20number:%20cam-6666" }),
    ]);
    const to = ["--to", `127.0.0.1:${responder.port}`, "--interface", "lo"];
    const { code, out } = await bewaarctl("cameras", "discover", ...to);
    assert.equal(code, 0);
    const { cameras } = z.object({ cameras: z.array(z.looseObject({})) }).parse(parse(out));
    assert.equal(cameras.length, 1);
    const [found] = cameras;
    assert.equal(found?.["onvif"], "http://127.0.0.1/onvif/device_service");
    assert.equal(found["url"], "rtsp://127.0.0.1/");
    assert.equal(found["number"], null);
    const json = await bewaarctl("--json", "cameras", "discover", ...to);
    assert.match(json.out, /"urn":"urn:uuid:1"/);
    const wrong = await bewaarctl("cameras", "discover", "--interface", "nergens0");
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /^DESK_INPUT: .*\n.*een van \/ one of: /);
  });

  it("test tells what the camera says of itself though its stream is dead, and no password", async () => {
    await using folder = await temporaryFolder();
    await using device = await openOnvifDevice({ jobs: ["Active"] });
    const config = await box(folder.path, [{ ...GOOD_CAMERA, ...DEAD, onvif: device.url }]);
    const { code, out } = await bewaarctl(...config, "cameras", "test", "cam-0001");
    assert.equal(code, 1);
    assert.match(out, /^onvif: Fabriek, M1, 1\.2, SN1\n {2}main: H265 3840x2160, 25 beelden/m);
    assert.match(out, /neemt zelf op \/ records by itself: AAN \/ ON/);
    assert.match(out, /^beeld \/ stream: CAMERA_UNREACHABLE: /m);
    assert.match(out, /^WORDT NIET BEWAARD \/ WOULD NOT BE STORED/m);
    const json = await bewaarctl(...config, "--json", "cameras", "test", "cam-0001");
    const { stored, onvif, stream } = tested.parse(JSON.parse(json.out));
    assert.deepEqual([stored, onvif?.serial, stream?.code], [false, "SN1", "CAMERA_UNREACHABLE"]);
    assert.ok(![out, json.out].join().includes("geheim"));
  });

  it("test says why nothing would be stored: no notice, another building, out of the period", async () => {
    await using folder = await temporaryFolder();
    const { notice: _, ...unnoticed } = GOOD_CAMERA;
    const cameras = [
      { ...unnoticed, ...DEAD },
      { ...GOOD_CAMERA, number: "cam-0003", url: "rtsp://127.0.0.1:1/3", building: "zwembad" },
      COVERT_CAMERA,
    ];
    const config = await box(folder.path, cameras);
    const why = async (number: string) => {
      const { code, out } = await bewaarctl(...config, "--json", "cameras", "test", number);
      assert.equal(code, 1);
      return tested.parse(JSON.parse(out));
    };
    assert.match((await why("cam-0001")).why.at(-1)?.nl ?? "", /het bord .* niet bevestigd.*AR-10/);
    const [forbidden] = (await why("cam-0003")).why;
    assert.match(forbidden?.nl ?? "", /cameras\.1\.building.*AR-04/);
    assert.match(forbidden?.en ?? "", /line \d+, cameras\.1\.building.*AR-04/);
    const covert = await why("cam-0009");
    assert.match(covert.why.at(-1)?.nl ?? "", /periode.*AR-40/);
    // Nobody is looked at when no decision allows it.
    assert.equal(covert.stream, null);
    // With a mistake anywhere the recorder does not start.
    const elsewhere = (await why("cam-0001")).why[0];
    assert.match(elsewhere?.nl ?? "", /^elders .*bewaard\.yaml regel \d+, cameras\.1\.building$/);
    assert.match(elsewhere?.en ?? "", /elsewhere .*bewaard\.yaml line \d+, cameras\.1\.building$/);
  });

  /** Everything that a test of `camera`, covert and with ONVIF, prints: for people, and as JSON. */
  async function shownOf(camera: {
    number: string;
    onvif?: string;
    building: string;
  }): Promise<string> {
    await using folder = await temporaryFolder();
    const test = [...(await box(folder.path, [camera])), "cameras", "test", camera.number];
    const [plain, json] = [await bewaarctl(...test), await bewaarctl("--json", ...test)];
    return [plain, json].flatMap(({ out, err }) => [out, err]).join("\n");
  }

  it("test shows nothing by which a covert camera could be found (AR-40)", async () => {
    const now = systemClock.now();
    const covert = {
      ...COVERT_CAMERA.covert,
      from: isoOf(plus(now, -HOUR_MS)),
      until: isoOf(plus(now, HOUR_MS)),
    };
    const camera = { ...COVERT_CAMERA, ...DEAD, covert };
    const garble = (xml: string) => xml.replaceAll("main", "Magazijn").replaceAll("p0", "mag0");
    await using device = await openOnvifDevice({ garble });
    const shown = await shownOf({ ...camera, onvif: device.url });
    assert.match(
      shown,
      /^cam-0009 {2}- .*\nonvif: Fabriek, M1, 1\.2, \?\n {2}H265 3840x2160, 25 beel/m,
    );
    assert.match(shown, /^beeld \/ stream: CAMERA_UNREACHABLE: [^\n]*\nWORDT NIET/m);
    await using foreign = await openOnvifDevice({ foreign: { media: "http://10.20.30.40/x" } });
    const failed = await shownOf({ ...camera, building: "stadskantor", onvif: foreign.url });
    assert.match(failed, /^onvif: CAMERA_REFUSED: /m);
    assert.match(failed, /cameras\.0\.building/);
    assert.doesNotMatch(
      [shown, failed].join(),
      /rtsp:|mag0|magazijn|stadskant|10\.20|127\.0\.0\.1|SN1|main/i,
    );
  });

  it("test logs in to no covert camera out of its period (AR-40)", async () => {
    await using device = await openOnvifDevice({});
    const shown = await shownOf({ ...COVERT_CAMERA, onvif: device.url });
    assert.match(shown, /^cam-0009 {2}- .*\nniet bekeken, buiten de periode/);
    assert.deepEqual(device.asked, []);
  });

  it("test does not begin without the password, or with a number that is no camera's", async () => {
    await using folder = await temporaryFolder();
    const config = await box(folder.path, [{ ...GOOD_CAMERA, ...DEAD }]);
    const other = await bewaarctl(...config, "cameras", "test", "bc-0101");
    assert.equal(other.code, 2);
    assert.match(other.err, /^DESK_INPUT: /);
    await writeFile(join(folder.path, "cam-0001.password"), "a\nb\n");
    const missing = await bewaarctl(...config, "cameras", "test", "cam-0001");
    assert.match(missing.err, /^SECRET_MISSING: /);
  });
});
