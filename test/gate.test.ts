import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { type Gate, openGate } from "../drivers/camera/gate.ts";
import { address, hurried, openClient, openGateForUs, PASSWORD, TCP } from "./fakes/gate-client.ts";
import { frame, rtp, rtpClip } from "./fakes/rtp-clip.ts";
import {
  AAC,
  answer,
  camera,
  G711,
  guarded,
  H264,
  openPeer,
  type Script,
  sdp,
} from "./fakes/rtsp-peer.ts";

const NEVER = new AbortController().signal;
const clip = rtpClip(50);

/** Twenty milliseconds of G.711 to each half picture, on the channel of a second track. */
const sound = Array.from({ length: 100 }, (_, index) =>
  frame(2, rtp(8, false, index, index * 160, Buffer.alloc(160, index))),
);

/** Sends `frames` when it is played, and ends. */
function playing(script: Script, frames: readonly Buffer[]): Script {
  return (asked, socket) => {
    if (asked.method === "PLAY") queueMicrotask(() => socket.end(Buffer.concat(frames)));
    return script(asked, socket);
  };
}

/** Has a real ffmpeg read `url`; says of each packet its track, size and hash. */
async function packets(url: string, gate?: Gate): Promise<string[]> {
  const guards = ["-nostdin", "-loglevel", "error", "-protocol_whitelist", "rtsp,tcp,udp,rtp"];
  const input = ["-rtsp_transport", "tcp", "-i", url, "-map", "0"];
  const output = ["-c", "copy", "-f", "framemd5", "pipe:1"];
  const running = promisify(execFile)("ffmpeg", [...guards, ...input, ...output]);
  gate?.admit(running.child.pid, () => assert.fail("an intruder"));
  const { stdout } = await running;
  const lines = stdout.split("\n").filter((line) => /^\d/.test(line));
  return lines.map((line) => {
    const [track, , , , size, hash] = line.split(/,\s*/);
    return `${track} ${size} ${hash}`;
  });
}

/**
 * Has another process ask `url` for its stream over so many connections, which are waiting at the gate when this
 * resolves, with what gives all that they were answered.
 */
async function thieves(url: string, count: number): Promise<() => Promise<string>> {
  const asks = `for(let n=0;n<${count};n++){s=require("net").connect(${new URL(url).port},"127.0.0.1");
    for(const m of ["SETUP","PLAY"])s.write(m+" ${url}"+(m=="SETUP"?"/video":"")+" RTSP/1.0\\r\\n${TCP.join()}\\r\\n\\r\\n",
      ()=>m=="PLAY"&&process.stderr.write("."));s.pipe(process.stdout,{end:false})}`;
  const child = spawn(process.execPath, ["-e", asks], { stdio: ["ignore", "pipe", "pipe"] });
  const stolen = text(child.stdout);
  let asked = 0;
  for await (const dots of child.stderr) if ((asked += String(dots).length) >= count) break;
  // Answered at once, and after those that came before it have been heard.
  using stranger = await openClient(url);
  await stranger.ask("DESCRIBE", url.slice(0, -1));
  return () => stolen;
}

describe("RTSP gate", () => {
  it("gives ffmpeg every picture of a camera that wants a login, as the camera sent it", async () => {
    const script = playing(camera(sdp(clip.medium)), clip.pictures);
    await using open = await openPeer(script);
    await using peer = await openPeer(guarded(script, PASSWORD, () => "n1"));
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    assert.deepEqual(gate.offer, {
      video: "h264",
      audio: undefined,
      soundOffered: false,
      pictureKnown: true,
    });
    const got = await packets(gate.url, gate);
    assert.equal(got.length, 50);
    assert.deepEqual(got, await packets(open.url));
    const end = await gate.lost;
    assert.equal(end.code, "CAMERA_LOST");
    assert.equal(end.transient, true);
  });

  it("takes no sound where none may be: not asked for, and dropped when it comes (AR-14)", async () => {
    const frames = clip.pictures.flatMap((picture, index) => [picture, sound[index] ?? picture]);
    await using peer = await openPeer(playing(camera(sdp(clip.medium, G711)), frames));
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    assert.deepEqual(gate.offer, {
      video: "h264",
      audio: undefined,
      soundOffered: true,
      pictureKnown: true,
    });
    const got = await packets(gate.url, gate);
    assert.equal(got.filter((line) => line.startsWith("0")).length, 50);
    assert.equal(got.length, 50);
    assert.equal(gate.dropped(), 50);
    assert.deepEqual(
      peer.asked.filter(({ method }) => method === "SETUP").map(({ url }) => url),
      [`${peer.url}/trackID=0`],
    );
  });

  it("drops sound that comes along on the picture's channel", async () => {
    const smuggled = frame(0, rtp(8, false, 1, 1, Buffer.alloc(160)));
    await using peer = await openPeer(playing(camera(sdp(H264)), [smuggled, smuggled]));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    await client.ask("PLAY", gate.url);
    assert.equal((await client.frames(1)).length, 0);
    assert.equal(gate.dropped(), 2);
  });

  it("gives ffmpeg the sound of a room that is on the list (AR-14)", async () => {
    const frames = clip.pictures.flatMap((picture, index) => [
      picture,
      ...sound.slice(2 * index, 2 * index + 2),
    ]);
    await using peer = await openPeer(playing(camera(sdp(clip.medium, G711)), frames));
    await using gate = await openGate(systemClock, address(peer.url, { sound: true }), NEVER);
    assert.deepEqual(gate.offer, {
      video: "h264",
      audio: "pcma",
      soundOffered: true,
      pictureKnown: true,
    });
    const got = await packets(gate.url, gate);
    assert.equal(got.filter((line) => line.startsWith("0")).length, 50);
    assert.equal(got.filter((line) => line.startsWith("1")).length, 100);
  });

  for (const [how, refusal] of [
    ["is refused", answer("404 Not Found")],
    ["is sent elsewhere", answer("302 Moved", ["Location: rtsp://127.0.0.2:554/x"])],
    ["is answered by UDP", answer("200 OK", ["Transport: RTP/AVP;unicast", "Session: 7"])],
    ["is not answered", undefined],
  ] as const) {
    it(`goes on without sound whose SETUP ${how}, and loses no picture`, async () => {
      const script = playing(camera(sdp(clip.medium, G711)), clip.pictures);
      await using peer = await openPeer((asked, socket) =>
        asked.method === "SETUP" && asked.url.endsWith("trackID=1")
          ? refusal
          : script(asked, socket),
      );
      await using gate = await openGate(hurried, address(peer.url, { sound: true }), NEVER);
      assert.deepEqual(gate.offer, {
        video: "h264",
        audio: undefined,
        soundOffered: true,
        pictureKnown: true,
      });
      assert.equal((await packets(gate.url, gate)).length, 50);
    });
  }

  it("refuses its reader the SETUP of a sound that is not taken", async () => {
    await using peer = await openPeer(camera(sdp(H264, AAC)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    assert.match(await client.ask("SETUP", `${gate.url}/audio`, TCP), /^RTSP\/1\.0 404 /);
    assert.match(await client.ask("SETUP", `${gate.url}/trackID=1`, TCP), /^RTSP\/1\.0 404 /);
    assert.match(await client.ask("SETUP", `${gate.url}/video`), /^RTSP\/1\.0 461 /);
    assert.match(await client.ask("SETUP", `${gate.url}/video`, TCP), /^RTSP\/1\.0 200 /);
    assert.equal(peer.asked.filter(({ method }) => method === "SETUP").length, 1);
  });

  it("describes to its reader what it understood, and nothing else of the camera's words", async () => {
    const fmtp =
      "a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM4=; evil=rtsp://other; profile-level-id=<x>";
    const odd = ["i=secret room", "a=evil:1", "a=control:rtsp://127.0.0.1/evil?x=1"];
    const medium = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", fmtp, ...odd];
    await using peer = await openPeer(camera(sdp(medium, AAC)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    const [, description] = (await client.ask("DESCRIBE", gate.url)).split("\r\n\r\n");
    assert.deepEqual(description?.trimEnd().split("\r\n"), [
      "v=0",
      "o=- 0 0 IN IP4 127.0.0.1",
      "s=-",
      "c=IN IP4 127.0.0.1",
      "t=0 0",
      "a=control:*",
      "m=video 0 RTP/AVP 96",
      "a=rtpmap:96 H264/90000",
      "a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM4=",
      "a=control:video",
    ]);
  });

  it("answers 404 to who does not know the path, and still serves who does", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    const origin = gate.url.slice(0, gate.url.lastIndexOf("/"));
    for (const path of ["/", "/0123456789abcdef0123456789abcdef", `${gate.url.slice(-32)}x`]) {
      using stranger = await openClient(gate.url);
      assert.match(await stranger.ask("DESCRIBE", `${origin}${path}`), /^RTSP\/1\.0 404 /);
      await stranger.ended;
    }
    using client = await openClient(gate.url);
    assert.match(await client.ask("DESCRIBE", gate.url), /^RTSP\/1\.0 200 /);
  });

  it("serves one reader, once", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using early = await openClient(gate.url);
    const client = await openClient(gate.url);
    await client.ask("OPTIONS", gate.url);
    await early.ended;
    await assert.rejects(openClient(gate.url), { code: "ECONNREFUSED" });
    client[Symbol.dispose]();
    await assert.rejects(openClient(gate.url), { code: "ECONNREFUSED" });
  });

  it("lets a thief wait who knows the path and came first, refuses it, and serves ffmpeg", async () => {
    await using peer = await openPeer(playing(camera(sdp(clip.medium)), clip.pictures));
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    const stolen = await thieves(gate.url, 1);
    let told = 0;
    const watched: Gate = { ...gate, admit: (pid) => gate.admit(pid, () => (told += 1)) };
    assert.equal((await packets(gate.url, watched)).length, 50);
    assert.equal(await stolen(), "RTSP/1.0 404 Not Found\r\n\r\n");
    assert.equal(told, 1);
    assert.equal(peer.asked.filter(({ method }) => method === "PLAY").length, 1);
  });

  it("tells of each thief who knows the path, also where its reader was quicker", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    const served = client.ask("DESCRIBE", gate.url);
    const stolen = await thieves(gate.url, 5);
    let told = 0;
    gate.admit(process.pid, () => (told += 1));
    assert.match(await served, /^RTSP\/1\.0 200 /);
    assert.equal(await stolen(), "RTSP/1.0 404 Not Found\r\n\r\n".repeat(5));
    assert.equal(told, 5);
  });

  it("lets no stranger keep ffmpeg out, however many connect", async () => {
    await using peer = await openPeer(playing(camera(sdp(clip.medium)), clip.pictures));
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    await using idle = new AsyncDisposableStack();
    const strangers = [];
    for (let count = 0; count < 9; count += 1) {
      strangers.push(idle.use(await openClient(gate.url)));
    }
    const [oldest, newest] = [strangers.at(0)?.ended, strangers.at(-1)?.ended];
    const first = await Promise.race([oldest?.then(() => "oldest"), newest?.then(() => "newest")]);
    assert.equal(first, "oldest");
    assert.equal((await packets(gate.url, gate)).length, 50);
  });

  it("drops a reader that asks and asks, and reads no answer", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    const socket = connect(Number(new URL(gate.url).port), "127.0.0.1");
    const ended = once(socket, "close");
    socket.on("error", () => undefined);
    socket.write(`DESCRIBE ${gate.url} RTSP/1.0\r\n\r\n`.repeat(17));
    await ended;
    assert.ok(socket.bytesRead < 1700);
  });

  it("has the camera play when its reader does, and not before", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    const methods = (): string[] => peer.asked.map(({ method }) => method);
    assert.deepEqual(methods(), ["OPTIONS", "DESCRIBE", "SETUP"]);
    await client.ask("PLAY", gate.url);
    assert.deepEqual(methods().slice(3), ["PLAY"]);
  });

  it("passes frames in any pieces on whole, sender reports unchanged among them", async () => {
    const report = frame(
      1,
      Buffer.from([0x80, 200, 0, 6, ...Array.from({ length: 24 }, (_, i) => i)]),
    );
    const picture = frame(0, rtp(96, true, 7, 3600, Buffer.alloc(300, 5)));
    const other = frame(9, rtp(96, true, 7, 3600, Buffer.alloc(50)));
    const pieces = Array.from(Buffer.concat([report, other, picture, report]), (byte) =>
      Buffer.from([byte]),
    );
    const script = camera(sdp(H264));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "PLAY") {
        queueMicrotask(() => void drip(pieces, (piece) => socket.write(piece)));
      }
      // Whose answer would come between two pieces of a frame, where the machine is slow.
      return asked.method === "GET_PARAMETER" ? undefined : script(asked, socket);
    });
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    await client.ask("PLAY", gate.url);
    const wanted = Buffer.concat([report, picture, report]);
    assert.deepEqual(await client.frames(wanted.length), wanted);
  });

  it("keeps the session alive at half its time, and reports that it receives", async () => {
    await using peer = await openPeer(camera(sdp(H264)));
    await using gate = await openGate(hurried, address(peer.url), NEVER);
    const { headers } = await peer.until("GET_PARAMETER", 2);
    assert.equal(headers.get("session"), "7");
    const report = Buffer.from([0x24, 1, 0, 20, 0x80, 0xc9, 0, 1]);
    assert.ok(peer.heard().includes(report));
    assert.ok(gate.url.length > 32);
  });

  it("gives its reader what came before the answer to PLAY, after it", async () => {
    const picture = frame(0, rtp(96, true, 7, 3600, Buffer.alloc(300, 5)));
    const script = camera(sdp(H264));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "PLAY") socket.write(picture);
      return script(asked, socket);
    });
    await using gate = await openGateForUs(systemClock, address(peer.url), NEVER);
    using client = await openClient(gate.url);
    await client.ask("SETUP", `${gate.url}/video`, TCP);
    assert.match(await client.ask("PLAY", gate.url), /^RTSP\/1\.0 200 /);
    assert.deepEqual(await client.frames(picture.length), picture);
  });

  it("leaves a camera in peace that answers no keep-alive and goes on sending", async () => {
    const script = camera(sdp(H264));
    const picture = frame(0, rtp(96, true, 7, 3600, Buffer.alloc(300, 5)));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method !== "GET_PARAMETER") return script(asked, socket);
      socket.write(picture);
      return undefined;
    });
    await using gate = await openGate(hurried, address(peer.url), NEVER);
    const three = peer.until("GET_PARAMETER", 3).then(() => "three");
    assert.equal(await Promise.race([gate.lost, three]), "three");
  });

  it("asks for OPTIONS where a camera refuses the GET_PARAMETER that it offers", async () => {
    const script = camera(sdp(H264));
    await using peer = await openPeer((asked, socket) =>
      asked.method === "GET_PARAMETER" ? answer("501 No") : script(asked, socket),
    );
    await using gate = await openGate(hurried, address(peer.url), NEVER);
    const three = peer.until("OPTIONS", 3).then(() => "three");
    assert.equal(await Promise.race([gate.lost, three]), "three");
    assert.equal(peer.asked.filter(({ method }) => method === "GET_PARAMETER").length, 1);
  });

  it("tells a camera that asks something of it that it does not do that", async () => {
    const script = camera(sdp(H264));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "SETUP") socket.write("SET_PARAMETER * RTSP/1.0\r\nCSeq: 42\r\n\r\n");
      return script(asked, socket);
    });
    const gate = await openGate(systemClock, address(peer.url), NEVER);
    // By then the camera has heard everything before.
    await gate[Symbol.asyncDispose]();
    assert.ok(peer.heard().includes("RTSP/1.0 501 Not Implemented\r\nCSeq: 42\r\n\r\n"));
  });

  it("keeps to the time-out and the channels that the camera says", async () => {
    const script = camera(sdp(H264, AAC));
    const picture = frame(4, rtp(96, true, 7, 3600, Buffer.alloc(300, 5)));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "PLAY") queueMicrotask(() => socket.write(picture));
      if (asked.method !== "SETUP") return script(asked, socket);
      const [channels, session] = asked.count === 1 ? ["4-5", "7;timeout=8"] : ["6-7", "7"];
      const transport = `Transport: RTP/AVP/TCP;unicast;interleaved=${channels};ssrc=1`;
      return answer("200 OK", [transport, `Session: ${session}`]);
    });
    await using gate = await openGateForUs(hurried, address(peer.url, { sound: true }), NEVER);
    const asked = peer.asked.filter(({ method }) => method === "SETUP");
    assert.match(asked[1]?.headers.get("transport") ?? "", /interleaved=6-7/);
    using client = await openClient(gate.url);
    assert.match(await client.ask("SETUP", `${gate.url}/video`, TCP), /interleaved=4-5/);
    await client.ask("PLAY", gate.url);
    assert.deepEqual(await client.frames(picture.length), picture);
    await peer.until("GET_PARAMETER");
    // It came after four seconds and not thirty: there is a report each five.
    const reports = peer.heard().toString("latin1").split("\x24\x05\x00\x14\x80\xc9").length - 1;
    assert.ok(reports >= 1 && reports <= 3, `${reports} reports`);
  });

  it("says goodbye, and does not wait for a camera that does not answer that", async () => {
    const script = camera(sdp(H264));
    await using peer = await openPeer((asked, socket) =>
      asked.method === "TEARDOWN" ? undefined : script(asked, socket),
    );
    const gate = await openGate(hurried, address(peer.url), NEVER);
    await gate[Symbol.asyncDispose]();
    assert.equal(peer.asked.at(-1)?.method, "TEARDOWN");
    assert.equal(peer.asked.at(-1)?.headers.get("session"), "7");
  });
});

/** Gives each piece a turn of its own. */
async function drip(pieces: readonly Buffer[], write: (piece: Buffer) => void): Promise<void> {
  for (const piece of pieces) {
    write(piece);
    await systemClock.sleep(1, NEVER);
  }
}
