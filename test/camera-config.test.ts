import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { readConfiguration } from "../config/configuration.ts";
import { effective, effectiveSettings } from "../config/effective.ts";
import { acceptConfiguration } from "../daemon/accept-configuration.ts";
import { devicesOf, placesOf, segmentMs, wallCameras } from "../daemon/places.ts";
import {
  COVERT_CAMERA,
  GOOD_ANNEX,
  GOOD_BOX,
  GOOD_CAMERA,
  SOUND_CAMERA,
  saidOf,
  writtenIn,
} from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { openRig, type Rig, START } from "./fakes/rig.ts";

const BOX = { ...GOOD_BOX, informed_on: "2026-05-01" };
const CAMERAS = [GOOD_CAMERA, SOUND_CAMERA, COVERT_CAMERA];

/** What is said of a box with these cameras; its own path is left out. */
async function saying(cameras: readonly object[], box: object = BOX): Promise<string> {
  await using folder = await temporaryFolder();
  const said = await saidOf(await writtenIn(folder.path, { ...box, cameras }));
  return said.replaceAll(`${folder.path}/`, "");
}

async function readCameras(cameras: readonly object[], box: object = BOX) {
  await using folder = await temporaryFolder();
  return await readConfiguration(await writtenIn(folder.path, { ...box, cameras }));
}

/** Starts with these cameras; returns what it was refused with, or an empty text. */
async function start(rig: Rig, cameras: readonly object[], more: object = {}): Promise<string> {
  const path = await writtenIn(rig.folder, { ...BOX, cameras, ...more });
  const { config, rules } = await readConfiguration(path);
  try {
    await acceptConfiguration(rig.clock, rig.events, rig.database, config, rules);
    return "";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

describe("cameras in buildings", () => {
  it("are taken as written: one with pictures, one with sound in its room, one covert", async () => {
    const { config } = await readCameras(CAMERAS);
    const [plain, sound, covert] = wallCameras(config);
    assert.equal(plain?.url, "rtsp://10.1.2.3/stream1");
    assert.equal(plain.user, "bewaard");
    assert.deepEqual([plain.sound, sound?.sound, covert?.sound], [false, true, false]);
    assert.deepEqual([plain.covert, sound?.covert, covert?.covert], [false, false, true]);
    assert.deepEqual(
      devicesOf(config).map(({ id, kind }) => [id, kind]),
      [
        ["bc-0101", "bodycam"],
        ["bc-0102", "bodycam"],
        ["cam-0001", "camera"],
        ["cam-0002", "camera"],
        ["cam-0009", "camera"],
      ],
    );
  });

  it("are all told of what is wrong in one run, at its line and column", async () => {
    const wrong = `${JSON.stringify({ ...BOX, bodycams: [] }).slice(0, -1)},
"cameras": [
  {"number": "cam-1", "url": "rtsp://u:p@h/1", "basic": true, "paired": "2026-05-01", "building": "stadhus", "sound": true},
  {"number": "cam-1", "url": "rtsp://10.0.0.1:554/x", "paired": "2026-05-01", "building": "stadhuis", "room": "hal", "sound": true},
  {"number": "cam-3", "url": "rtsps://10.0.0.1/x", "paired": "2026-05-01", "building": "mfc", "segment": "5 s"},
  {"number": "cam-4", "url": "rtsp://10.0.0.1/x", "certificate": "${"a".repeat(64)}", "paired": "2026-05-01", "building": "mfc",
   "sound": true, "covert": {"decision": "X-1", "decided_by": "wie", "from": "2026-06-01T11:00+02:00", "until": "2026-06-01T09:00Z"}}
]}`;
    await using folder = await temporaryFolder();
    const said = await saidOf(await writtenIn(folder.path, wrong));
    assert.deepEqual(
      said
        .split("\n")
        .map((line) => line.replace(/^.*bewaard\.yaml:/, "").replace(/\(AR-04\).*/, "(AR-04)")),
      [
        "3:3: cameras.0.user: is missing: the name that goes with basic",
        "3:3: cameras.0.necessity: is missing: { note, dpia }: why a camera is needed here (AR-45)",
        "3:3: cameras.0.room: is missing: sound is of one room (AR-14)",
        "3:3: cameras.0.sound_notice: is missing: { confirmed_on, by }: sound has a confirmation of its own (AR-15)",
        '3:23: cameras.0.url: write an address like "rtsp://10.1.2.3/stream1": no name, password or # in it',
        "3:87: cameras.0.building: no building of the policy's closed list (AR-04)",
        "3:110: cameras.0.sound: sound where the policy has none (AR-14): leave it out; only in: stadhuis/spreekkamer, stadskantoor/spreekkamer",
        "4:3: cameras.1.necessity: is missing: { note, dpia }: why a camera is needed here (AR-45)",
        "4:3: cameras.1.sound_notice: is missing: { confirmed_on, by }: sound has a confirmation of its own (AR-15)",
        "4:4: cameras.1.number: each camera has one number (AR-01): an entry above has the same",
        "4:118: cameras.1.sound: sound where the policy has none (AR-14): leave it out; only in: stadhuis/spreekkamer, stadskantoor/spreekkamer",
        "5:3: cameras.2.certificate: is missing: rtsps goes to one camera only: name the fingerprint of its certificate",
        "5:3: cameras.2.necessity: is missing: { note, dpia }: why a camera is needed here (AR-45)",
        "5:95: cameras.2.segment: no such key; there are: number, url, user, basic, certificate, onvif, paired, building, room, sound, notice, sound_notice, necessity, covert",
        "6:23: cameras.3.url: each stream is one camera's (AR-01): an entry above has the same",
        "6:51: cameras.3.certificate: leave it out, or write rtsps, or https in onvif: nothing else shows a certificate",
        "7:4: cameras.3.sound: leave it out: a covert camera records no sound",
        "7:49: cameras.3.covert.decided_by: only verantwoordelijke decides (AR-40)",
        "7:104: cameras.3.covert.until: later than from (AR-40)",
      ],
    );
  });

  it("have each a number of their own, bodycams too, and a stream of their own (AR-01)", async () => {
    const other = { ...GOOD_CAMERA, url: "rtsp://10.1.2.5/" };
    const said = await saying([GOOD_CAMERA, other, { ...other, number: "bc-0101" }]);
    assert.match(said, /cameras.1.number: each camera has one number \(AR-01\)/);
    assert.match(said, /cameras.2.number: each camera has one number \(AR-01\)/);
    assert.match(said, /cameras.2.url: each stream is one camera's \(AR-01\)/);
    const host = { ...GOOD_CAMERA, url: "rtsp://CAM.intern:554/a", number: "cam-2" };
    const same = { ...host, url: "rtsp://cam.intern/a", number: "cam-3" };
    assert.match(await saying([host, same]), /cameras.1.url: each stream/);
    assert.equal(await saying([host, { ...same, url: "rtsp://cam.intern/b" }]), "");
  });

  it("have no login in their address, nor anything else that is no stream of one host", async () => {
    for (const url of [
      "rtsp://bewaard@10.1.2.3/",
      "rtsp://10.1.2.3/user=bewaard&password=geheim&channel=1",
      "rtsp://10.1.2.3/?PWD=geheim",
      "rtsp://10.1.2.3/cam?loginuse=bewaard",
      "rtsp://10.1.2.3/cam?loginpas=geheim",
      "rtsp://10.1.2.3/a?%70assword=geheim",
      "rtsp://10.1.2.3/a?auth=Z2VoZWlt",
      "rtsp://10.1.2.3/a?access_token=geheim",
      "rtsp://10.1.2.3/0_passwd=geheim_channel=1",
      "rtsp://10.1.2.3/#1",
      "rtsp://10.1.2.3/a\nb",
      "rtsp:///stream1",
      "rtsp://10.1.2.3:0/",
      "rtsp://10.1.2.3:99999/",
      "http://10.1.2.3/",
      "file:///etc/passwd",
      `rtsp://10.1.2.3/${"a".repeat(600)}`,
    ]) {
      const said = await saying([{ ...GOOD_CAMERA, url }]);
      assert.match(said, /cameras.0.url: write an address like/, url);
      assert.doesNotMatch(said, /geheim/);
    }
    for (const url of [
      "rtsp://[fe80::1]:8554/a?b=1",
      "rtsp://camera-1.intern/Streaming/101",
      "rtsp://10.1.2.3/onvif-media/media.amp?profile=profile_1_h264&sessiontimeout=60&streamtype=unicast",
      "rtsp://10.1.2.3/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif",
      "rtsp://10.1.2.3/a?ProfileToken=p0&author=x&passive=1&bypass=0&pan=3",
      "rtsp://10.1.2.3/pass/user/token/auth",
    ]) {
      assert.equal(await saying([{ ...GOOD_CAMERA, url }]), "", url);
    }
    const pinned = { ...GOOD_CAMERA, url: "rtsps://10.1.2.3/", certificate: "AB:".repeat(32) };
    const { config } = await readCameras([
      { ...pinned, certificate: pinned.certificate.slice(0, -1) },
    ]);
    assert.equal(wallCameras(config)[0]?.certificate, "ab".repeat(32));
    assert.match(await saying([pinned]), /certificate: write the SHA-256 fingerprint/);
    const login = { ...GOOD_CAMERA, onvif: "http://10.1.2.3/onvif?password=geheim" };
    assert.match(await saying([login]), /cameras.0.onvif: leave out what logs in/);
  });

  it("may have a certificate for ONVIF over https, where their stream is in clear", async () => {
    const onvif = "https://10.1.2.3/onvif/device_service";
    const secure = { ...GOOD_CAMERA, onvif, certificate: "ab".repeat(32) };
    assert.equal(await saying([secure]), "");
    const clear = { ...secure, onvif: onvif.replace("https", "http") };
    assert.match(await saying([clear]), /cameras.0.certificate: leave it out/);
  });

  it("hang in a building of the closed list, as the annex leaves it; a policy without one has none (AR-04)", async () => {
    assert.match(
      await saying([{ ...GOOD_CAMERA, building: "museum" }]),
      /building: no building of the policy's closed list \(AR-04\); there are: stadskantoor, /,
    );
    const denHaag = { ...BOX, policy: "den-haag" };
    const none = await saying([GOOD_CAMERA, SOUND_CAMERA, COVERT_CAMERA], denHaag);
    assert.equal(none.match(/the policy has no buildings: leave the camera out/g)?.length, 3);
    assert.match(none, /cameras.1.sound: sound where the policy has none \(AR-14\).*it has none/);
    assert.match(none, /cameras.2.covert: the policy has no covert cameras/);
    await using folder = await temporaryFolder();
    const box = { ...BOX, annex: join(folder.path, "annex.yaml"), cameras: [GOOD_CAMERA] };
    const narrowed = await writtenIn(folder.path, box, { "annex.yaml": GOOD_ANNEX });
    assert.match(await saidOf(narrowed), /cameras.0.building: .*; there are: mfc$/m);
  });

  it("record sound in a room of the list only, with a notice of its own, and never without saying why (AR-14, AR-15)", async () => {
    assert.equal(await saying([SOUND_CAMERA]), "");
    const { sound_notice: _, necessity: __, ...without } = SOUND_CAMERA;
    const said = await saying([without]);
    assert.match(said, /cameras.0.sound_notice: is missing: .*\(AR-15\)/);
    assert.match(said, /cameras.0.necessity: is missing: .*\(AR-45\)/);
    for (const wrong of [{ room: "hal" }, { building: "mfc" }]) {
      const elsewhere = await saying([{ ...SOUND_CAMERA, ...wrong }]);
      assert.match(elsewhere, /cameras.0.sound: sound where the policy has none \(AR-14\)/);
    }
    const { config } = await readCameras([{ ...SOUND_CAMERA, sound: false }]);
    assert.equal(wallCameras(config)[0]?.sound, false);
  });

  it("are in service with a confirmed notice only, whatever the clock says (AR-10)", async () => {
    const { notice: _, ...unnoticed } = { ...GOOD_CAMERA, number: "cam-3", url: "rtsp://10.0.0.3" };
    const { config } = await readCameras([GOOD_CAMERA, unnoticed]);
    const [noticed, not] = wallCameras(config);
    for (const now of [START, instant(0), plus(START, 9999 * DAY_MS)]) {
      assert.equal(noticed?.service(now), "in service");
      assert.equal(not?.service(now), "not in service");
    }
  });

  it("that are covert record in their period and stop by themselves at its end (AR-40)", async () => {
    const { config } = await readCameras([COVERT_CAMERA]);
    const [covert] = wallCameras(config);
    const from = plus(START, -HOUR_MS);
    const until = plus(START, DAY_MS);
    for (const [now, service] of [
      [plus(from, -1), "out of period"],
      [from, "in service"],
      [plus(until, -1), "in service"],
      [until, "out of period"],
      [instant(0), "out of period"],
    ] as const) {
      assert.equal(covert?.service(now), service);
    }
  });

  it("that are covert need a decision, who may decide, and an end that is near (AR-40)", async () => {
    const { until: _, ...endless } = COVERT_CAMERA.covert;
    for (const [covert, what] of [
      [endless, /covert.until: is missing/],
      [{ ...COVERT_CAMERA.covert, decision: undefined }, /covert.decision: is missing/],
      [{ ...COVERT_CAMERA.covert, decided_by: "beheerder" }, /only verantwoordelijke decides/],
      [{ ...COVERT_CAMERA.covert, until: "2026-09-02T00:00Z" }, /at most 92 days after from/],
      [{ ...COVERT_CAMERA.covert, until: "2026-06-02" }, /write a time with its offset/],
      [{ ...COVERT_CAMERA.covert, until: "2026-06-31T00:00Z" }, /write a time with its offset/],
      [{ ...COVERT_CAMERA.covert, until: "2026-06-03T25:00Z" }, /write a time with its offset/],
    ] as const) {
      assert.match(await saying([{ ...COVERT_CAMERA, covert }]), what);
    }
    assert.match(
      await saying([{ ...COVERT_CAMERA, sound: true }]),
      /cameras.0.sound: leave it out: a covert camera records no sound/,
    );
  });

  it("that are covert are known by their number only, in places and in the ledger (AR-40)", async () => {
    const { config, rules } = await readCameras([GOOD_CAMERA, COVERT_CAMERA]);
    const places = Object.fromEntries(placesOf(config).map(({ device, place }) => [device, place]));
    assert.equal(places["cam-0001"], "stadhuis/balie");
    assert.ok("cam-0009" in places && places["cam-0009"] === undefined);
    const told = effectiveSettings(config, rules).filter(({ personal }) => !personal);
    const ofCamera = (number: string) =>
      told.map(({ path }) => path).filter((path) => path.includes(number));
    assert.deepEqual(ofCamera("cam-0009"), ["box.cameras[cam-0009].number"]);
    assert.ok(ofCamera("cam-0001").includes("box.cameras[cam-0001].building"));
    // Nor where any camera is in the site's network, or what it is logged in to as.
    assert.doesNotMatch(JSON.stringify(told), /10\.1\.2|"bewaard"|Agressie/);
  });

  it("have segments of a minute; of other seconds only on a demo site", async () => {
    const { config } = await readCameras([GOOD_CAMERA]);
    assert.equal(segmentMs(config), MINUTE_MS);
    const site = { name: "den-haag-handhaving", segment_seconds: 5 };
    assert.match(await saying([], { ...BOX, site }), /site.segment_seconds: leave it out/);
    const demo = await readCameras([], { ...BOX, site: { ...site, demo: true } });
    assert.equal(segmentMs(demo.config), 5 * SECOND_MS);
  });

  it("are shown with their times as they can be written", async () => {
    const { config, rules } = await readCameras([COVERT_CAMERA]);
    const { box } = effective(config, rules);
    assert.match(JSON.stringify(box), /"until":"2026-06-02T10:00:00.000Z"/);
    const again = { ...COVERT_CAMERA.covert, until: "2026-06-02T10:00:00.000Z" };
    assert.equal(await saying([{ ...COVERT_CAMERA, covert: again }]), "");
  });
});

describe("a change of cameras (AR-43)", () => {
  const APPROVAL = { reference: "OR-2026-017", date: "2026-05-20", by: "ondernemingsraad" };

  it("needs consent when it switches sound on, or begins or changes covert use; not when it ends them", async () => {
    await using rig = await openRig();
    const off = { ...SOUND_CAMERA, sound: false };
    assert.equal(await start(rig, [off]), "");
    assert.match(
      await start(rig, [SOUND_CAMERA]),
      /^CONFIG_UNAPPROVED a change of box\.cameras\[cam-0002\]\.sound needs consent/,
    );
    assert.match(
      await start(rig, [off, COVERT_CAMERA]),
      /^CONFIG_UNAPPROVED a change of box\.cameras\[cam-0009\]\.covert needs consent/,
    );
    assert.equal(await start(rig, [SOUND_CAMERA, COVERT_CAMERA], { approval: APPROVAL }), "");
    const later = { ...COVERT_CAMERA.covert, until: "2026-06-03T12:00+02:00" };
    const longer = { ...COVERT_CAMERA, covert: later };
    assert.match(await start(rig, [SOUND_CAMERA, longer]), /^CONFIG_UNAPPROVED .*covert needs/);
    assert.equal(await start(rig, [off]), "");
    assert.equal(await start(rig, [off, GOOD_CAMERA]), "");
  });

  it("is recorded without where a camera is, or what is said of a covert one", async () => {
    await using rig = await openRig();
    await start(rig, []);
    assert.equal(await start(rig, CAMERAS, { approval: APPROVAL }), "");
    const rows = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'config.changed'"),
    );
    const told = rows.map(({ body }) => String(body)).join("\n");
    assert.match(told, /box\.cameras\[cam-0001\]\.building.*stadhuis/);
    assert.match(told, /box\.cameras\[cam-0009\]\.number/);
    assert.doesNotMatch(told, /10\.1\.2\.|INT-2026-3|magazijn|stadskantoor|Agressie/);
  });

  it("is refused while a notice is of a day still to come (AR-10)", async () => {
    await using rig = await openRig();
    const notice = { ...GOOD_CAMERA.notice, confirmed_on: "2026-06-02" };
    assert.match(
      await start(rig, [{ ...GOOD_CAMERA, notice }]),
      /^CONFIG_INVALID cam-0001: notice is confirmed on 2026-06-02, still to come/,
    );
    rig.clock.move(DAY_MS);
    assert.equal(await start(rig, [{ ...GOOD_CAMERA, notice }]), "");
    // Judged when it changed: a clock that is wrong afterwards keeps no camera from recording.
    rig.clock.jump(-300 * DAY_MS);
    assert.equal(await start(rig, [{ ...GOOD_CAMERA, notice }]), "");
  });
});
