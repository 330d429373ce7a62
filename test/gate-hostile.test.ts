import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { inspect } from "node:util";
import { describe, it } from "mocha";
import { BewaardError, type ErrorCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import type { Clock } from "#base/time";
import type { CameraAddress } from "../drivers/camera/address.ts";
import { openExchange } from "../drivers/camera/exchange.ts";
import { openGate } from "../drivers/camera/gate.ts";
import {
  address,
  hurried,
  openClient,
  openGateForUs,
  PASSWORD,
  refusal,
  TCP,
} from "./fakes/gate-client.ts";
import { frame, rtp } from "./fakes/rtp-clip.ts";
import { answer, camera, guarded, H264, openPeer, type Script, sdp } from "./fakes/rtsp-peer.ts";

const NEVER = new AbortController().signal;
const honest = camera(sdp(H264));

/** Answers `method` with what `odd` gives, and everything else like an honest camera. */
function except(method: string, odd: Script, script: Script = honest): Script {
  return (asked, socket) => (asked.method === method ? odd : script)(asked, socket);
}

/** Fails unless `error` is foreseen, with `code`, and does not know the password in any form. */
function isError(error: unknown, code: ErrorCode, message: RegExp, transient: boolean): void {
  assert.ok(error instanceof BewaardError, inspect(error));
  assert.deepEqual([error.code, error.transient], [code, transient], error.message);
  assert.match(error.message, message);
  const everything = inspect(error, { depth: 9, showHidden: true });
  for (const form of [PASSWORD, Buffer.from(`user:${PASSWORD}`).toString("base64"), "response="]) {
    assert.ok(!everything.includes(form), form);
  }
}

async function refused(
  script: Script,
  code: ErrorCode,
  message: RegExp,
  transient: boolean,
  more: Partial<CameraAddress> = {},
): Promise<void> {
  await using peer = await openPeer(script);
  isError(await refusal(address(peer.url, more)), code, message, transient);
}

/** How a gate to a camera is lost that does `odd` once it plays. */
async function lostAfter(odd: (socket: Socket) => void): Promise<BewaardError> {
  await using peer = await openPeer((asked, socket) => {
    if (asked.method === "PLAY") queueMicrotask(() => odd(socket));
    return honest(asked, socket);
  });
  await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
  using client = await openClient(gate.url);
  await client.ask("SETUP", `${gate.url}/video`, TCP);
  await client.ask("PLAY", gate.url);
  await client.ended;
  return await gate.lost;
}

function thrownBy(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

const elsewhere = ["Location: rtsp://127.0.0.2:554/x"];
const described = ["Content-Type: application/sdp"];
const video = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"];

describe("A camera that means harm", () => {
  for (const method of ["OPTIONS", "DESCRIBE", "SETUP"]) {
    it(`is refused when it redirects ${method}`, async () => {
      const script = except(method, () => answer("302 Moved", elsewhere));
      await refused(script, "CAMERA_REFUSED", /elsewhere \(302\)/, false);
    });
  }

  it("is lost when it redirects PLAY, or sends a REDIRECT of its own", async () => {
    const redirect = "REDIRECT rtsp://127.0.0.2/x RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    isError(
      await lostAfter((socket) => socket.write(redirect)),
      "CAMERA_REFUSED",
      /elsewhere/,
      false,
    );
    await using peer = await openPeer(except("PLAY", () => answer("301 Moved", elsewhere)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    assert.match(await client.ask("PLAY", gate.url), /^RTSP\/1\.0 503 /);
    isError(await gate.lost, "CAMERA_REFUSED", /elsewhere/, false);
  });

  it("is refused when its base or a control names another host, or a login", async () => {
    const base = (url: string): Script =>
      except("DESCRIBE", () => answer("200 OK", [...described, `Content-Base: ${url}`], sdp(H264)));
    const control = (url: string): Script => camera(sdp([...video, `a=control:${url}`]));
    for (const script of [
      base("rtsp://127.0.0.2/stream/"),
      base("http://127.0.0.1/stream/"),
      control("rtsp://127.0.0.2/trackID=0"),
      control("rtsp://127.0.0.1@127.0.0.2/trackID=0"),
      control("rtsp://user:x@127.0.0.1/trackID=0"),
      control("rtsp://[::1]/trackID=0"),
      control("track 0"),
    ]) {
      await refused(script, "CAMERA_REFUSED", /it names .* to ask/, false);
    }
  });

  it("is refused for a body of 2 GB before a byte of it comes", async () => {
    const huge = "RTSP/1.0 200 OK\r\nCSeq: $\r\nContent-Length: 2147483648\r\n\r\n";
    await refused(
      except("DESCRIBE", () => huge),
      "CAMERA_STREAM",
      /longer than 65536/,
      true,
    );
  });

  it("is refused for a header without an end", async () => {
    const endless = `RTSP/1.0 200 OK\r\nX: ${"x".repeat(20_000)}`;
    await refused(
      except("OPTIONS", () => endless),
      "CAMERA_STREAM",
      /longer than 16384/,
      true,
    );
    const many = `RTSP/1.0 200 OK\r\n${"X: y\r\n".repeat(5000)}`;
    await refused(
      except("OPTIONS", () => many),
      "CAMERA_STREAM",
      /longer than 16384/,
      true,
    );
  });

  it("is lost for garbage between its frames", async () => {
    const picture = frame(0, rtp(96, true, 1, 1, Buffer.alloc(40)));
    const garbage = Buffer.concat([picture, Buffer.from([0, 1, 2, 3])]);
    const error = await lostAfter((socket) => socket.write(garbage));
    isError(error, "CAMERA_STREAM", /no message/, true);
    const html = await lostAfter((socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    isError(html, "CAMERA_STREAM", /not RTSP/, true);
  });

  it("is refused when it speaks before we are ready to ask, for that would be lost", async () => {
    await using server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.write("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    assert.ok(bound !== null && typeof bound === "object");
    // So slow a machine that what the camera says is there before connecting is over.
    const late: Clock = {
      ...systemClock,
      async sleep(ms, signal) {
        await systemClock.sleep(ms, signal).catch(() => systemClock.sleep(50, NEVER));
        signal.throwIfAborted();
      },
    };
    const error = await refusal(address(`rtsp://127.0.0.1:${bound.port}/stream`), late);
    isError(error, "CAMERA_STREAM", /speaks before it is asked/, true);
  });

  it("is lost when it closes or resets the connection", async () => {
    isError(await lostAfter((socket) => socket.end()), "CAMERA_LOST", /ended/, true);
    isError(await lostAfter((socket) => socket.resetAndDestroy()), "CAMERA_LOST", /broke/, true);
  });

  it("is never held up by a reader that does not read: with 4 MiB waiting it is lost", async () => {
    const picture = frame(0, rtp(96, true, 1, 1, Buffer.alloc(60_000)));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "PLAY") {
        queueMicrotask(() =>
          socket.write(Buffer.concat(Array.from({ length: 500 }, () => picture))),
        );
      }
      return honest(asked, socket);
    });
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    client.mute();
    void client.ask("PLAY", gate.url);
    isError(await gate.lost, "CAMERA_STREAM", /not read/, true);
  });

  it("is lost when it floods us with messages nobody asked for", async () => {
    const answers = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n";
    const waits = "RTSP/1.0 100 Wait\r\nCSeq: 1\r\n\r\n";
    const requests = "SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    for (const message of [answers, waits, requests]) {
      const error = await lostAfter((socket) => socket.write(message.repeat(60)));
      isError(error, "CAMERA_STREAM", /floods/, true);
    }
  });

  it("is lost when it reads nothing of what it is sent", async () => {
    await using peer = await openPeer((_, socket) => void socket.pause());
    const socket = connect(peer.port, "127.0.0.1");
    await once(socket, "connect");
    const exchange = openExchange(systemClock, socket, NEVER);
    // The system takes some megabytes that nobody reads.
    const send = (): void => exchange.sendFrame(Buffer.alloc(60_000));
    let error: unknown;
    for (let sent = 0; sent < 500 && error === undefined; sent += 1) error = thrownBy(send);
    isError(error, "CAMERA_STREAM", /does not read/, true);
    assert.ok(socket.writableLength < 130_000);
    socket.destroy();
  });

  it("is lost when it says nothing any more, within a session's time", async () => {
    await using peer = await openPeer(except("GET_PARAMETER", () => undefined));
    await using gate = await openGate(hurried, address(peer.url), NEVER);
    isError(await gate.lost, "CAMERA_STALLED", /GET_PARAMETER/, true);
  });

  it("is given up after five seconds of silence while it is asked", async () => {
    const silences = ["OPTIONS", "DESCRIBE", "SETUP"].map(async (method) => {
      await using peer = await openPeer(except(method, () => undefined));
      const error = await refusal(address(peer.url), hurried);
      isError(error, "CAMERA_STALLED", new RegExp(`no answer to ${method}`), true);
    });
    await Promise.all(silences);
  });

  it("is refused when it sends neither H.264 nor H.265, by the name of what it sends", async () => {
    for (const [media, said] of [
      [[["m=video 0 RTP/AVP 33"]], /MP2T/],
      [[["m=video 0 RTP/AVP 96", "a=rtpmap:96 MP2T/90000"]], /MP2T/],
      [[["m=video 0 RTP/AVP 26"]], /JPEG/],
      [[["m=video 0 RTP/AVP 96", "a=rtpmap:96 <b>/90000"]], /an unknown codec/],
      [[["m=audio 0 RTP/AVP 0"]], /no picture at all/],
      [[H264, H264], /more than one/],
      [[["m=video 0 RTP/AVP 96 97", "a=rtpmap:96 H264/90000"]], /several/],
    ] as const) {
      await refused(camera(sdp(...media)), "CAMERA_STREAM", said, true);
    }
  });

  it("is refused for a description of more than 64 KiB", async () => {
    const long = sdp(H264, [`a=x:${"x".repeat(70_000)}`]);
    await refused(camera(long), "CAMERA_STREAM", /longer than 65536/, true);
  });

  it("is refused when it wants another transport", async () => {
    const udp = answer("200 OK", ["Transport: RTP/AVP;unicast;client_port=1-2", "Session: 7"]);
    await refused(
      except("SETUP", () => udp),
      "CAMERA_REFUSED",
      /TCP/,
      false,
    );
  });

  it("may come back when it has no room now", async () => {
    await refused(
      except("SETUP", () => answer("453 No")),
      "CAMERA_REFUSED",
      /453/,
      true,
    );
    await refused(
      except("DESCRIBE", () => answer("503 No")),
      "CAMERA_REFUSED",
      /503/,
      true,
    );
    await refused(
      except("DESCRIBE", () => answer("404 No")),
      "CAMERA_REFUSED",
      /404/,
      false,
    );
  });
});

describe("A camera's login", () => {
  const basic = 'WWW-Authenticate: Basic realm="cam"';
  const wantsBasic: Script = ({ method, headers }, socket) =>
    headers.get("authorization")?.startsWith("Basic ")
      ? honest({ method, url: "", headers, count: 1 }, socket)
      : answer("401 Unauthorized", [basic]);

  it("is tried once when the password is wrong", async () => {
    await using peer = await openPeer(guarded(honest, "other", () => "n1"));
    isError(await refusal(address(peer.url)), "CAMERA_LOGIN", /does not take/, false);
    assert.equal(peer.asked.filter(({ headers }) => headers.has("authorization")).length, 1);
  });

  it("is tried once when each refusal of a wrong password has a nonce of its own", async () => {
    let nonce = 0;
    const challenge = (): string => `WWW-Authenticate: Digest realm="cam", nonce="${nonce++}"`;
    await using peer = await openPeer(() => answer("401 Unauthorized", [challenge()]));
    isError(await refusal(address(peer.url)), "CAMERA_LOGIN", /does not take/, false);
    assert.equal(peer.asked.length, 2);
  });

  it("ends with a camera that finds every nonce stale", async () => {
    let nonce = 0;
    const challenge = (): string =>
      `WWW-Authenticate: Digest realm="cam", nonce="${nonce++}", stale=true`;
    await using peer = await openPeer(() => answer("401 Unauthorized", [challenge()]));
    isError(await refusal(address(peer.url)), "CAMERA_LOGIN", /goes on asking/, false);
    assert.equal(peer.asked.length, 3);
  });

  for (const said of ["said to be stale", "only another one"]) {
    it(`is answered anew when the nonce has changed after an hour: ${said}`, async () => {
      let nonce = "first";
      const script = guarded(honest, PASSWORD, () => nonce);
      const kept = said === "only another one" ? "" : ", stale=TRUE";
      await using peer = await openPeer((asked, socket) =>
        script(asked, socket)?.replace(", stale=TRUE", kept),
      );
      await using gate = await openGate(hurried, address(peer.url), NEVER);
      nonce = "second";
      await peer.until("GET_PARAMETER", 3);
      const nonces = peer.asked
        .filter(({ method }) => method === "GET_PARAMETER")
        .map(({ headers }) => /nonce="(\w+)"/.exec(headers.get("authorization") ?? "")?.[1]);
      assert.deepEqual(nonces.slice(0, 3), ["first", "second", "second"]);
      assert.equal(gate.dropped(), 0);
    });
  }

  it("is lost when the password has changed meanwhile, after one more try", async () => {
    let password = PASSWORD;
    let nonce = "first";
    await using peer = await openPeer((asked, socket) =>
      guarded(honest, password, () => nonce)(asked, socket),
    );
    await using gate = await openGate(hurried, address(peer.url), NEVER);
    password = "other";
    nonce = "second";
    isError(await gate.lost, "CAMERA_LOGIN", /does not take/, false);
    assert.equal(peer.asked.filter(({ method }) => method === "GET_PARAMETER").length, 2);
  });

  it("goes in clear only where the camera's entry says basic", async () => {
    await refused(wantsBasic, "CAMERA_LOGIN", /in clear \(Basic\)/, false);
    await using peer = await openPeer(wantsBasic);
    assert.equal(await refusal(address(peer.url, { basic: true })), undefined);
  });

  it("never goes in clear to a camera that offers Digest too, not even to one it cannot answer", async () => {
    await using both = await openPeer(guarded(honest, PASSWORD, () => "n1", [basic]));
    assert.equal(await refusal(address(both.url, { basic: true })), undefined);
    const strange = 'WWW-Authenticate: Digest realm="cam", nonce="n", algorithm=SHA-512-256';
    const script = (): string => answer("401 Unauthorized", [basic, strange]);
    await refused(script, "CAMERA_LOGIN", /wants the password in clear/, false, { basic: true });
    for (const one of [both]) {
      assert.ok(!one.heard().includes(Buffer.from(`user:${PASSWORD}`).toString("base64")));
    }
  });

  it("is refused to a camera that knew Digest and now wants it in clear", async () => {
    await using peer = await openPeer(
      except(
        "SETUP",
        wantsBasic,
        guarded(honest, PASSWORD, () => "n1"),
      ),
    );
    const error = await refusal(address(peer.url, { basic: true }));
    isError(error, "CAMERA_LOGIN", /knows Digest, and wants the password in clear/, false);
    assert.ok(!peer.heard().includes("Basic "));
  });

  it("is missing where the camera's entry has none", async () => {
    const script = guarded(honest, PASSWORD, () => "n1");
    await refused(script, "CAMERA_LOGIN", /no user/, false, { login: undefined });
  });
});
