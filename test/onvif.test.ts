import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { describe as describeCamera } from "../drivers/camera/onvif.ts";
import { selfSigned } from "./fakes/certificate.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { type OnvifDevice, openOnvifDevice, type Script } from "./fakes/onvif-device.ts";
import { NEVER } from "./fakes/rig.ts";

const LOGIN = { user: "bewaard", password: "geheim" };

function ask(device: { url: string }, login: typeof LOGIN | undefined = LOGIN) {
  return describeCamera(systemClock, { url: device.url, login, certificate: undefined }, NEVER);
}

/** The code and message that describing ends with. */
async function refusal(device: { url: string }, login = LOGIN): Promise<string> {
  try {
    await ask(device, login);
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return "taken";
}

async function said(script: Script) {
  await using device = await openOnvifDevice(script);
  return { said: await ask(device), asked: device.asked };
}

describe("what a camera says of itself over ONVIF", () => {
  it("is what it is, what it offers, and where", async () => {
    const { said: one } = await said({ media: "old", jobs: ["Idle", "Active"] });
    const { clockOffsetMs, ...rest } = one;
    assert.ok(Math.abs(clockOffsetMs ?? Number.NaN) < 1500);
    assert.deepEqual(rest, {
      maker: "Fabriek",
      model: "M1",
      firmware: "1.2",
      serial: "SN1",
      profiles: [
        {
          token: "p0",
          name: "main",
          codec: "H264",
          width: 1920,
          height: 1080,
          fps: 25,
          gopFrames: 50,
          bitrateKbps: 4096,
          sound: "G711",
          analytics: false,
          url: "rtsp://127.0.0.1:554/s?a=1",
        },
      ],
      ownRecording: "on",
      cloud: "unknown",
      analytics: "unknown",
    });
  });

  it("is of Media2 where it has that, with H.265; of the older service where that is broken", async () => {
    const both = (await said({})).said.profiles;
    assert.deepEqual(
      both.map(({ codec, width, gopFrames, analytics }) => [codec, width, gopFrames, analytics]),
      [
        ["H265", 3840, 50, true],
        [null, null, null, false],
      ],
    );
    assert.equal((await said({ media: "new" })).said.profiles[0]?.codec, "H265");
    assert.equal((await said({ media: "new is broken" })).said.profiles[0]?.codec, "H264");
    assert.equal((await said({ ancient: true })).said.profiles[0]?.codec, "H264");
  });

  it("may lack RateControl, recording jobs and a login", async () => {
    const { said: bare } = await said({ bare: true, media: "old", jobs: ["Idle"], login: "none" });
    assert.deepEqual([bare.profiles[0]?.fps, bare.profiles[0]?.bitrateKbps], [null, null]);
    assert.equal(bare.ownRecording, "off");
  });

  it("is asked by the camera's clock, whatever that says", async () => {
    for (const skewMs of [300_000, -86_400_000]) {
      const { clockOffsetMs } = (await said({ skewMs })).said;
      assert.ok(Math.abs((clockOffsetMs ?? 0) - skewMs) < 1500, `${clockOffsetMs}`);
    }
    const skewMs = -60 * 365 * 86_400_000;
    assert.equal((await said({ skewMs, login: "md5" })).said.clockOffsetMs, null);
  });

  it("may name its own number where it was asked by a name", async () => {
    await using device = await openOnvifDevice();
    const { profiles } = await ask({ url: device.url.replace("127.0.0.1", "localhost") });
    assert.equal(profiles[0]?.url, "rtsp://127.0.0.1:554/s?a=1");
  });

  it("hides a login that the camera writes into its stream's address", async () => {
    const stream = "rtsp://a:b@127.0.0.1/s?user=x&password=y&z=1";
    const { profiles } = (await said({ stream })).said;
    assert.equal(profiles[0]?.url, "rtsp://127.0.0.1/s?user=…&password=…&z=1");
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    for (const [behind, shown] of [
      ["cam?loginuse=bewaard&loginpas=another&z=1", "cam?loginuse=…&loginpas=…&z=1"],
      ["bewaard/geheim/1", "bewaard/…/1"],
      ["bewaard/g%65h%65im/1", "…"],
      ["a?%70assword=x", "…"],
      ["a?auth=QUJD/ZGVm+Cg==&z=1", "a?auth=…&z=1"],
      [`a?k=${base64("bewaard:geheim")}&z=1`, "a?k=…=&z=1"],
      [`${base64("geheim").replace(/=+$/, "")}/1`, "…/1"],
      ["user=a_password=b_channel=1/x", "user=…/x"],
      [
        "media.amp?ProfileToken=p0&streamtype=unicast",
        "media.amp?ProfileToken=p0&streamtype=unicast",
      ],
    ] as const) {
      const offered = (await said({ stream: `rtsp://127.0.0.1/${behind}` })).said.profiles;
      assert.equal(offered[0]?.url, `rtsp://127.0.0.1/${shown}`);
    }
  });
});

describe("the login of ONVIF", () => {
  it("is a token, or Digest with MD5 or SHA-256, and never the password itself", async () => {
    for (const login of ["token", "md5", "sha-256"] as const) {
      const { said: one, asked } = await said({ login });
      assert.equal(one.serial, "SN1");
      const sent = JSON.stringify(asked);
      assert.ok(!sent.includes(LOGIN.password) && !sent.includes("Basic "), sent);
    }
  });

  it("is refused in one go when the password is wrong, and when only Basic is offered", async () => {
    const wrong = { ...LOGIN, password: "fout" };
    for (const login of ["token", "md5"] as const) {
      await using device = await openOnvifDevice({ login });
      assert.match(await refusal(device, wrong), /^CAMERA_LOGIN: /);
      const tries = device.asked.filter(({ user, authorization }) =>
        login === "token" ? user : authorization,
      );
      assert.equal(tries.length, 1);
    }
    await using basic = await openOnvifDevice({ login: "basic" });
    assert.match(await refusal(basic), /^CAMERA_LOGIN: /);
    assert.ok(basic.asked.every(({ authorization }) => authorization === undefined));
  });

  it("may have any character in it", async () => {
    const odd = { user: "b<&>'", password: 'é:"<&>\\$&' };
    const script = { user: "b&#60;&#38;&#62;&#39;", password: odd.password };
    await using device = await openOnvifDevice(script);
    assert.equal((await ask(device, odd)).serial, "SN1");
  });

  it("of two cameras at once is not mixed up", async () => {
    const scripts = [
      { user: "a", password: "aa", login: "md5" },
      { user: "b", password: "bb", login: "token", skewMs: 60_000 },
    ] as const;
    const devices: OnvifDevice[] = await Promise.all(scripts.map(openOnvifDevice));
    await using stack = new AsyncDisposableStack();
    for (const device of devices) stack.use(device);
    await Promise.all(
      Array.from({ length: 10 }, async (_, turn) => {
        const device = devices[turn % 2];
        const script = scripts[turn % 2];
        assert.ok(device && script);
        assert.equal((await ask(device, script)).serial, "SN1");
      }),
    );
    assert.ok(devices[0]?.asked.every(({ user }) => user === undefined || user === "a"));
    assert.ok(devices[1]?.asked.every(({ user }) => user === undefined || user === "b"));
  });
});

describe("ONVIF over https", () => {
  it("reaches only the camera with the pinned certificate", async () => {
    await using folder = await temporaryFolder();
    const { fingerprint, ...tls } = await selfSigned(folder.path);
    await using device = await openOnvifDevice({ tls });
    const at = (certificate: string) =>
      describeCamera(systemClock, { url: device.url, login: LOGIN, certificate }, NEVER);
    await assert.rejects(at("0".repeat(64)), { code: "CAMERA_REFUSED", message: /certificate/ });
    assert.deepEqual(device.asked, []);
    assert.equal((await at(fingerprint)).serial, "SN1");
  });

  it("is not left for http because the camera says so", async () => {
    await using folder = await temporaryFolder();
    const { fingerprint: certificate, ...tls } = await selfSigned(folder.path);
    const foreign = { media: "http://127.0.0.1:1/onvif/media" };
    await using device = await openOnvifDevice({ tls, media: "old", foreign });
    const camera = { url: device.url, login: LOGIN, certificate };
    assert.equal((await describeCamera(systemClock, camera, NEVER)).profiles[0]?.name, "main");
  });
});

describe("a camera that means harm over ONVIF", () => {
  it("that names another host is refused, and nothing is sent there", async () => {
    await using other = await openOnvifDevice();
    const elsewhere = other.url.replace("127.0.0.1", "localhost");
    await using device = await openOnvifDevice({ foreign: { media: elsewhere }, media: "old" });
    assert.match(await refusal(device), /^CAMERA_REFUSED: .*another host \(localhost\)/);
    assert.deepEqual(other.asked, []);
    const stream = { stream: "rtsp://127.0.0.2/s" };
    await using streaming = await openOnvifDevice({ foreign: stream });
    assert.match(await refusal(streaming), /^CAMERA_REFUSED: .*another host \(127\.0\.0\.2\)/);
  });

  const faults = [
    ["deep", /^CAMERA_STREAM: .*nested too deep/],
    ["quoted deep", /^CAMERA_STREAM: .*nested too deep/],
    ["dtd", /^CAMERA_STREAM: .*DTD/],
    ["malformed", /^CAMERA_STREAM: /],
    ["html", /^CAMERA_STREAM: .*no XML/],
    ["redirect", /^CAMERA_REFUSED: .*redirect/],
    ["close", /^CAMERA_LOST: /],
    ["no http", /^CAMERA_STREAM: .*HTTP/],
    ["endless", /^CAMERA_STREAM: .*1 MiB/],
    ["proto", /^taken$/],
  ] as const;
  for (const [fault, expected] of faults) {
    it(`is told of at once, and holds nothing up: ${fault}`, async () => {
      await using device = await openOnvifDevice({ fault });
      using _ = smooth(1000);
      const before = process.memoryUsage.rss();
      assert.match(await refusal(device), expected);
      assert.ok(process.memoryUsage.rss() - before < 128 * 1024 * 1024);
      assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
    });
  }

  it("that answers in another form is described as far as it goes, or refused", async () => {
    let turn: (length: number) => number = () => 0;
    const garble = (xml: string) => garbled(xml, turn);
    await using device = await openOnvifDevice({ login: "none", jobs: ["Active"], garble });
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
        turn = (length) => Number(numbers.next().value) % length;
        assert.match(await refusal(device), /^(?:taken$|CAMERA_)/);
      }),
      { numRuns: 150 },
    );
  });

  it("that never comes to an end costs five seconds", async () => {
    const slow = ["hang", "half", "drip"] as const;
    const before = systemClock.uptimeMs();
    await Promise.all(
      slow.map(async (fault) => {
        await using device = await openOnvifDevice({ fault });
        assert.match(await refusal(device), /^CAMERA_STALLED: no whole answer in 5 s/);
      }),
    );
    assert.ok(systemClock.uptimeMs() - before < 20_000);
  });

  it("that is not there is unreachable", async () => {
    const device = await openOnvifDevice();
    await device[Symbol.asyncDispose]();
    assert.match(await refusal(device), /^CAMERA_UNREACHABLE: .*ECONNREFUSED/);
    const secure = { url: device.url.replace("http:", "https:") };
    assert.match(await refusal(secure), /^CAMERA_REFUSED: https without a certificate/);
  });
});

/** Fails at its end when this thread computed for longer than `limitMs`: what others compute meanwhile is not counted. */
function smooth(limitMs: number): Disposable {
  const before = process.threadCpuUsage();
  return {
    [Symbol.dispose]: () => {
      const { user, system } = process.threadCpuUsage(before);
      const tookMs = Math.round((user + system) / 1000);
      assert.ok(tookMs < limitMs, `computed for ${tookMs} ms`);
    },
  };
}

/** Changes one element, or none. */
function garbled(xml: string, turn: (length: number) => number): string {
  const elements = [...xml.matchAll(/<(tds|trt|tr2|trc|tt):(\w+)([^>]*)>/g)];
  const chosen = elements[turn(elements.length * 3)];
  if (chosen === undefined) return xml;
  const [open, prefix, name] = chosen;
  const from = chosen.index;
  const close = `</${prefix}:${name}>`;
  const to = open.endsWith("/>") ? from + open.length : xml.indexOf(close, from) + close.length;
  const whole = xml.slice(from, to);
  const others = [
    "",
    `<${prefix}:${name}/>`,
    whole + whole,
    whole.replace(
      open,
      open.replace(/\/?>$/, (end) => ` x="y"${end}`),
    ),
    whole.replace(open, open.replace(/ \w+="[^"]*"/, "")),
    `<${prefix}:${name}>zomaar</${prefix}:${name}>`,
    `<${prefix}:${name}>${whole}</${prefix}:${name}>`,
    "<toString/><__proto__/><constructor/>",
  ];
  return xml.slice(0, from) + (others[turn(others.length)] ?? "") + xml.slice(to);
}
