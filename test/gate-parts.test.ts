import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { admit, isPictureKnown } from "../drivers/camera/admitted.ts";
import { answerable, challengesOf, digestAnswer } from "../drivers/camera/digest.ts";
import { describeAdmitted } from "../drivers/camera/gate-description.ts";
import { openPasses } from "../drivers/camera/passes.ts";
import { openReader, type Unit } from "../drivers/camera/rtsp-message.ts";
import { readDescription } from "../drivers/camera/sdp.ts";
import { frame } from "./fakes/rtp-clip.ts";
import { AAC, G711, H264, sdp } from "./fakes/rtsp-peer.ts";

const mufasa = { user: "Mufasa", password: "Circle of Life" };
const rfc7616 = [
  'realm="http-auth@example.org", qop="auth, auth-int", algorithm=ALG',
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
].join(", ");

function responseTo(values: readonly string[], login = mufasa): string | undefined {
  const challenge = answerable(challengesOf(values));
  assert.ok(challenge);
  const cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  const use = { method: "GET", url: "/dir/index.html", count: 1, cnonce };
  return /response="(\w+)"/.exec(digestAnswer(challenge, login, use))?.[1];
}

describe("Digest", () => {
  it("answers as RFC 7616 §3.9.1 does, with MD5 and with SHA-256", () => {
    const digest = (algorithm: string): string => `Digest ${rfc7616.replace("ALG", algorithm)}`;
    assert.equal(responseTo([digest("MD5")]), "8ca523f5e9506fed4657c9700eebdbec");
    const sha256 = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
    assert.equal(responseTo([digest("SHA-256")]), sha256);
  });

  it("prefers SHA-256, in any order and in one header or two", () => {
    const [md5, sha] = ["MD5", "SHA-256"].map((one) => `Digest ${rfc7616.replace("ALG", one)}`);
    assert.ok(md5 && sha);
    for (const values of [
      [md5, sha],
      [sha, md5],
      [`${md5}, ${sha}`],
      [`Basic realm="x", ${sha}`],
    ]) {
      assert.equal(responseTo(values)?.length, 64);
    }
  });

  it("answers without qop as RFC 2617 §3.2.2.1 says", () => {
    // RFC 2069, erratum 749.
    const old = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
    const login = { user: "Mufasa", password: "CircleOfLife" };
    assert.equal(responseTo([old], login), "1949323746fe6a43ef61f9606e7febea");
  });

  it("does not answer what it cannot", () => {
    for (const value of [
      'Digest realm="x", nonce="n", qop="auth-int"',
      'Digest realm="x", nonce="n", algorithm=MD5-sess',
      'Digest realm="x"',
      'Basic realm="x"',
      "",
    ]) {
      assert.equal(answerable(challengesOf([value])), undefined, value);
    }
  });

  it("reads any header, and says nothing in its answer that ends a line", () => {
    const values = fc.array(fc.string({ unit: "binary", maxLength: 80 }), { maxLength: 3 });
    const line = values.map((all) => all.map((one) => one.replaceAll(/[\r\n]/g, "")));
    const [mark, name] = [fc.constantFrom("Digest ", "", 'Digest nonce="a",'), fc.string()];
    fc.assert(
      fc.property(line, mark, name, (all, start, user) => {
        const challenges = challengesOf([...all, `${start}${all.join(",")}`]);
        const found = answerable(challenges);
        if (found === undefined) return;
        const login = { user: user.replaceAll(/[\r\n]/g, ""), password: "p" };
        const use = { method: "PLAY", url: "rtsp://h/", count: 1, cnonce: "c" };
        assert.doesNotMatch(digestAnswer(found, login, use), /[\r\n]/);
      }),
    );
  });
});

/** One part of a connection: what it is on the line, and what should be made of it. */
interface Part {
  readonly bytes: Buffer;
  readonly expected: string | undefined;
}

const framePart = fc
  .record({ channel: fc.nat(3), packet: fc.uint8Array({ minLength: 0, maxLength: 90 }) })
  .map(({ channel, packet }): Part => {
    const bytes = frame(channel, Buffer.from(packet));
    const wanted = channel < 2 && packet.length >= 2;
    return { bytes, expected: wanted ? bytes.toString("hex") : undefined };
  });
const messagePart = fc
  .record({ status: fc.integer({ min: 100, max: 599 }), body: fc.uint8Array({ maxLength: 90 }) })
  .map(({ status, body }): Part => {
    const head = `RTSP/1.0 ${status} x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const hex = Buffer.from(body).toString("hex");
    return { bytes: Buffer.concat([Buffer.from(head), body]), expected: `${status} ${hex}` };
  });

/** Runs of frames come joined, or not, as the chunks fall: only what they hold is compared. */
function textOf(units: readonly Unit[]): string {
  const parts = units.map((unit) => {
    if (unit.kind === "frames") return unit.bytes.toString("hex");
    return `|${unit.message.status} ${unit.message.body.toString("hex")}|`;
  });
  return parts.join("");
}

describe("RTSP messages and frames", () => {
  it("are read the same however they are cut", () => {
    const parts = fc.array(fc.oneof(framePart, messagePart), { maxLength: 12 });
    const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(parts, sizes, (all, cuts) => {
        const stream = Buffer.concat(all.map(({ bytes }) => bytes));
        const read = openReader((channel) => channel < 2);
        // What a chunk gave is not there any more when the next one comes.
        let seen = "";
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1;
          seen += textOf(read(stream.subarray(at, at + size)));
          at += size;
        }
        const expected = all.map(({ bytes, expected: text }) => {
          if (text === undefined) return "";
          return bytes[0] === 0x24 ? text : `|${text}|`;
        });
        assert.equal(seen, expected.join(""));
      }),
    );
  });

  it("are read, or refused as a stream, whatever the bytes are", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one)),
      fc
        .string({ unit: "binary-ascii", maxLength: 200 })
        .map((text) => Buffer.from(`RTSP/1.0 200 OK\r\n${text}\r\n\r\n`)),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (chunks) => {
        const read = openReader(() => true);
        try {
          for (const chunk of chunks) read(chunk);
        } catch (error) {
          assert.ok(error instanceof BewaardError && error.code === "CAMERA_STREAM");
        }
      }),
    );
  });
});

describe("What takes a camera no time to make, and us no time to refuse", () => {
  const quickly = (what: () => unknown): void => {
    // Of this process alone: a busy machine makes nothing wait longer than it works.
    const since = process.cpuUsage();
    what();
    const { user, system } = process.cpuUsage(since);
    assert.ok(user + system < 100_000, `${user + system} µs of CPU`);
  };
  const read = (head: string): Unit[] => openReader(() => false)(Buffer.from(head, "latin1"));

  it("is a header line of spaces, or a thousand of them", () => {
    for (const line of [`X: a${" ".repeat(16_000)}b`, `X${" ".repeat(16_000)}: b`]) {
      quickly(() => assert.equal(read(`RTSP/1.0 200 OK\r\n${line}\r\n\r\n`).length, 1));
    }
    for (const lines of [`X:${" ".repeat(8000)}\nb\r\n`, "A:\r\n".repeat(4000)]) {
      const head = `RTSP/1.0 200 OK\r\n${lines}\r\n`;
      quickly(() => assert.throws(() => read(head), { code: "CAMERA_STREAM" }));
    }
  });

  it("is a header line that ends otherwise than with CRLF, is folded, or holds control characters", () => {
    for (const lines of [
      "A: b\nC: d",
      "A: b\rC: d",
      "A: b\r\n c",
      "A: \0b",
      "A: b\x7f",
      "A",
      ": b",
    ]) {
      const head = `RTSP/1.0 200 OK\r\n${lines}\r\n\r\n`;
      assert.throws(() => read(head), { code: "CAMERA_STREAM" }, lines);
    }
    const [unit] = read("RTSP/1.0 200 OK\r\nA : \tb\t\r\na:c:d\r\nB:\r\n\r\n");
    assert.ok(unit?.kind === "message");
    assert.deepEqual(
      [...unit.message.headers],
      [
        ["a", ["b", "c:d"]],
        ["b", [""]],
      ],
    );
  });

  it("is a parameter of 60,000 letters", () => {
    for (const format of ["a".repeat(60_000), "a=".repeat(30_000), "a =".repeat(20_000)]) {
      const media = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", `a=fmtp:96 ${format}`];
      const admitted = (): unknown => admit(readDescription(sdp(media)), false);
      quickly(() => assert.throws(admitted, /more than 16384 characters of parameters/));
    }
  });
});

describe("A camera's description", () => {
  const described = (text: string, sound: boolean): string =>
    describeAdmitted(admit(readDescription(text), sound));

  it("keeps H.265 with its parameter sets", () => {
    const sets = "sprop-vps=QAE=; sprop-sps=QgE=;sprop-pps=RAE=";
    const media = ["m=video 0 RTP/AVP 98", "a=rtpmap:98 H265/90000", `a=fmtp:98 ${sets}`];
    const text = described(sdp(media), false);
    assert.match(text, /a=fmtp:98 sprop-vps=QAE=; sprop-sps=QgE=; sprop-pps=RAE=\r\n/);
  });

  it("calls H.265 by the name that ffmpeg knows", () => {
    const text = described(sdp(["m=video 0 RTP/AVP 98", "a=rtpmap:98 HEVC/90000"]), false);
    assert.match(text, /a=rtpmap:98 H265\/90000\r\n/);
  });

  it("is not taken with pictures out of order in the stream, or by another profile than RTP/AVP", () => {
    const said = (profile: string, format: string): string => {
      const formats = format === "" ? [] : [`a=fmtp:96 ${format}`];
      const media = [`m=video 0 ${profile} 96`, "a=rtpmap:96 H264/90000", ...formats];
      return described(sdp(media), false);
    };
    for (const mode of ["2", "1x", ""]) {
      assert.throws(() => said("RTP/AVP", `packetization-mode=${mode};x=y`), /packetization mode/);
    }
    assert.match(said("RTP/AVP/TCP", "packetization-mode=1"), /packetization-mode=1/);
    for (const profile of ["RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"]) {
      assert.throws(() => said(profile, ""), {
        message: `it sends H264 by ${profile}: what is taken is H.264 or H.265 by RTP/AVP`,
      });
    }
  });

  it("keeps AAC or G.711 where sound may be, the first that is known, and no other", () => {
    const opus = ["m=audio 0 RTP/AVP 99", "a=rtpmap:99 opus/48000/2"];
    const taken = (...media: string[][]): string | undefined =>
      admit(readDescription(sdp(H264, ...media)), true).audio?.codec;
    assert.equal(taken(opus), undefined);
    assert.equal(taken(opus, AAC, G711), "aac");
    assert.equal(taken(G711, AAC), "pcma");
    assert.equal(taken(["m=audio 0 RTP/AVP 0"]), "pcmu");
    assert.equal(taken(["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/16000"]), undefined);
    assert.doesNotMatch(described(sdp(H264, AAC), false), /audio/);
  });

  it("makes a picture known only with an SPS that can be understood", () => {
    const known = (encoding: string, format: string): boolean => {
      const video = [
        "m=video 0 RTP/AVP 96",
        `a=rtpmap:96 ${encoding}/90000`,
        `a=fmtp:96 ${format}`,
      ];
      return isPictureKnown(admit(readDescription(sdp(video)), false).video);
    };
    const sps = "Z0LADdoFB+wEQAAAAwBAAAAMg8UKqA==";
    assert.equal(known("H264", `sprop-parameter-sets=${sps},aM4PyA==`), true);
    assert.equal(known("H264", `sprop-parameter-sets=${sps.slice(0, 8)},aM4PyA==`), false);
    assert.equal(known("H264", "sprop-parameter-sets=aM4PyA=="), false);
    assert.equal(known("H264", "packetization-mode=1"), false);
    const h265 = "QgEBAWAAAAMAkAAAAwAAAwA8oAoIDB8+W6SkwvAWgIAAAAMAgAAADIQ=";
    assert.equal(known("H265", `sprop-vps=QAE=; sprop-sps=${h265}`), true);
    assert.equal(known("H265", "sprop-vps=QAE=; sprop-sps=QgE="), false);
  });

  it("never says more than the lists allow, whatever the camera says", () => {
    const odd = fc.string({ unit: "binary-ascii", maxLength: 60 });
    const known = fc.constantFrom(...H264, ...AAC, "a=fmtp:96 ", "a=rtpmap:96 H264/90000");
    const lines = fc.array(
      fc.oneof(
        known,
        odd,
        fc.tuple(known, odd).map((two) => two.join("")),
      ),
    );
    fc.assert(
      fc.property(lines, fc.boolean(), (all, sound) => {
        let text = "";
        try {
          text = described(sdp(all), sound);
        } catch (error) {
          assert.ok(error instanceof BewaardError && error.code === "CAMERA_STREAM");
        }
        for (const line of text.split("\r\n").slice(6, -1)) {
          assert.match(
            line,
            /^(?:m=(?:video|audio) 0 RTP\/AVP \d{1,3}|a=rtpmap:\d{1,3} [A-Za-z0-9/-]+|a=fmtp:\d{1,3} [a-z-]+=[A-Za-z0-9+/=,-]+(?:; [a-z-]+=[A-Za-z0-9+/=,-]+)*|a=control:(?:video|audio))$/,
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("What passes a gate", () => {
  const { video, audio } = admit(readDescription(sdp(H264, AAC)), true);
  assert.ok(audio);
  const [rtp, report] = [video.payload, 200];

  it("is of what was let, on its channel and of its type, and all else is counted", () => {
    const { let: pass, admit: admits, dropped } = openPasses();
    assert.equal(admits(0, rtp), false);
    pass(video, [0, 1]);
    const asked = [admits(0, rtp), admits(0, rtp | 0x80), admits(1, report)];
    assert.deepEqual(asked, [true, true, true]);
    const others = [admits(0, rtp + 1), admits(1, rtp), admits(3, report), admits(2, 97)];
    assert.deepEqual(others, [false, false, false, false]);
    assert.equal(dropped(), 5);
  });

  it("has a report of the picture before those of its sound, which are not counted as strange", () => {
    const { let: pass, admit: admits, dropped } = openPasses();
    pass(video, [0, 1]);
    pass(audio, [2, 3]);
    assert.equal(admits(3, report), false);
    assert.equal(admits(2, audio.payload), true);
    assert.equal(admits(1, 203), true);
    assert.equal(admits(3, report), false);
    assert.equal(admits(1, report), true);
    assert.equal(admits(3, report), true);
    assert.equal(dropped(), 0);
  });

  it("tells what time it is for the camera with a sender report of its picture, and nothing else", () => {
    const { let: pass, admit: admits, reported } = openPasses();
    admits(1, report);
    pass(video, [0, 1]);
    pass(audio, [2, 3]);
    for (const [channel, type] of [[0, rtp] as const, [1, 201], [3, report], [0, report]])
      admits(channel, type);
    assert.equal(reported(), false);
    admits(1, report);
    assert.equal(reported(), true);
  });
});
