import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { after, describe, it } from "mocha";
import { z } from "zod";
import { instant } from "#base/time";
import { clipOf, placeIn } from "../daemon/desk/clip.ts";
import type { LedgerSegment } from "../daemon/desk/node-ledger.ts";
import { provenSource } from "../daemon/desk/proven-source.ts";
import { CHUNK_BYTES } from "../storage/seal/chunk.ts";
import { makeHeader } from "../storage/seal/header.ts";
import { PART_BYTES } from "../storage/seal/part-digests.ts";
import { openWindow, type PlaintextWindow } from "../storage/seal/range.ts";
import { openSealer } from "../storage/seal/sealer.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER, openRig, START } from "./fakes/rig.ts";

const SECONDS = 40;
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** What ffprobe says of a clip: seconds of its first and last picture. */
const packets = z.object({ packets: z.array(z.object({ pts_time: z.string() })) });

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

/** A clip of noise, so that it is large, with a keyframe a second. Made once, and packed as asked. */
async function recorded(name: string): Promise<Buffer> {
  const quiet = "-nostdin -hide_banner -loglevel error -n".split(" ");
  const clip = join(folder.path, "moov-at-the-end.mp4");
  if (!existsSync(clip)) {
    const picture = ["-t", String(SECONDS), "-i", "testsrc2=size=640x360:rate=25,noise=alls=40"];
    const sound = ["-t", String(SECONDS), "-i", "sine=frequency=440"];
    const codec = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -b:v 6M -g 25 -c:a aac";
    const made = ["-f", "lavfi", ...picture, "-f", "lavfi", ...sound, ...codec.split(" "), clip];
    execFileSync("ffmpeg", [...quiet, ...made]);
  }
  const path = join(folder.path, name);
  const sound = name.endsWith("avi") ? "pcm_s16le" : "copy";
  if (path !== clip) {
    const packed = ["-i", clip, "-c:v", "copy", "-c:a", sound, path];
    if (!existsSync(path)) execFileSync("ffmpeg", [...quiet, ...packed]);
  }
  return readFile(path);
}

async function sealedWindow(
  plaintext: Buffer,
  alter: (file: Buffer) => void = () => undefined,
): Promise<PlaintextWindow & { readonly opened: Set<number> }> {
  const out: Buffer[] = [];
  const sealer = openSealer(await makeHeader([recipient]), (bytes) => out.push(Buffer.from(bytes)));
  sealer.push(plaintext);
  sealer.finish();
  const file = Buffer.concat(out);
  alter(file);
  const opened = new Set<number>();
  const read = async (from: number, to: number): Promise<Buffer> => {
    opened.add(Math.floor(from / CHUNK_BYTES));
    return file.subarray(from, to);
  };
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const window = await openWindow({ bytes: file.length, read }, false, decrypter);
  opened.clear();
  return { ...window, opened };
}

async function probed(clip: Buffer): Promise<readonly number[]> {
  const how = "-v error -select_streams v -show_entries packet=pts_time -of json pipe:0".split(" ");
  const child = spawn("ffprobe", how, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(clip);
  const { packets: found } = packets.parse(JSON.parse(await text(child.stdout)));
  return found.map(({ pts_time }) => Number(pts_time));
}

async function clipped(window: PlaintextWindow, fromMs: number, toMs: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(clipOf(window, fromMs, toMs, NEVER)));
}

describe("a time window of sealed footage", function () {
  this.timeout(120_000);

  for (const name of ["moov-at-the-end.mp4", "clip.ts", "clip.avi"]) {
    it(`of ${name} plays, covers what was asked, and opens a fraction of the chunks`, async () => {
      const plaintext = await recorded(name);
      const window = await sealedWindow(plaintext);
      const chunks = Math.ceil(plaintext.length / CHUNK_BYTES);
      assert.ok(plaintext.length > 20_000_000, `${plaintext.length} bytes`);
      const clip = await clipped(window, 20_000, 24_000);
      const share = window.opened.size / chunks;
      const times = await probed(clip);
      const lasts = Math.max(...times) - Math.min(...times);
      const longest = name === "clip.ts" ? 11 : 5.1;
      assert.ok(lasts >= 3.9 && lasts <= longest, `${lasts} s of picture`);
      assert.ok(share < 0.6, `${window.opened.size} of ${chunks} chunks`);
    });
  }

  it("is not given where a byte of it was altered, and the failure is named", async () => {
    const plaintext = await recorded("moov-at-the-end.mp4");
    const window = await sealedWindow(plaintext, (file) => {
      const middle = Math.floor(file.length / 2);
      file.writeUInt8(file.readUInt8(middle) ^ 1, middle);
    });
    await assert.rejects(clipped(window, 19_000, 22_000), { code: "SEAL_BROKEN" });
  });

  it("of what is no recording is refused: a playlist leads nowhere", async () => {
    for (const disguised of [
      "ffconcat version 1.0\nfile '/etc/passwd'\n",
      "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x\n",
      "beeld",
    ]) {
      const window = await sealedWindow(Buffer.from(disguised));
      await assert.rejects(clipped(window, 0, 1000), { code: "CLIP_FAILED" });
    }
  });

  it("ends ffmpeg with everything it started when it is stopped", async () => {
    const window = await sealedWindow(await recorded("moov-at-the-end.mp4"));
    const stop = new AbortController();
    const clip = clipOf(window, 0, SECONDS * 1000, stop.signal);
    await clip.next();
    const group = ffmpegsOf(process.pid);
    assert.equal(group.length, 1);
    stop.abort();
    await assert.rejects(Array.fromAsync(clip), { name: "AbortError" });
    assert.deepEqual(ffmpegsOf(process.pid), []);
  });
});

describe("where in a recording a window lies", () => {
  const [hour, minute] = [3_600_000, 60_000];
  const once = {
    startedAt: instant(10 * hour),
    endedAt: instant(10 * hour + 2 * minute),
    alternativeStartedAt: undefined,
  };
  const at = (known: Parameters<typeof placeIn>[0], from: number, to: number) =>
    placeIn(known, instant(from), instant(to));

  it("is reckoned from its start, and goes no further back than that", () => {
    assert.deepEqual(at(once, 10 * hour + 1000, 10 * hour + 5000), { fromMs: 1000, toMs: 5000 });
    assert.deepEqual(at(once, 9 * hour, 11 * hour), { fromMs: 0, toMs: hour });
  });

  it("is nowhere before it or after its end: nothing beside what was asked for is opened", () => {
    const refused = { code: "DESK_INPUT" };
    assert.throws(() => at(once, 9 * hour, 10 * hour), refused);
    assert.throws(() => at(once, 10 * hour + 2 * minute, 11 * hour), refused);
    assert.throws(() => at(once, 10 * hour + 5000, 10 * hour + 1000), refused);
    const endless = { ...once, endedAt: undefined };
    assert.equal(at(endless, 11 * hour, 12 * hour).fromMs, hour);
  });

  it("is found from either start where the clocks changed", () => {
    const twice = { ...once, alternativeStartedAt: instant(11 * hour) };
    assert.deepEqual(at(twice, 10 * hour + 1000, 10 * hour + 5000), { fromMs: 1000, toMs: 5000 });
    assert.deepEqual(at(twice, 11 * hour + 1000, 11 * hour + 5000), { fromMs: 1000, toMs: 5000 });
    assert.throws(() => at(twice, 10.5 * hour, 10.6 * hour), { code: "DESK_INPUT" });
  });
});

describe("a sealed file in the vault, read for a window", () => {
  it("gives any bytes across its parts, and none of a part that is not the ledger's", async () => {
    await using rig = await openRig();
    const content = randomBytes(PART_BYTES + 1000);
    const body = bytesBody(content);
    const key = "footage/dock-1/a";
    const version = await rig.vault.put(key, body, FREELY, NEVER);
    const known: LedgerSegment = {
      key,
      startedAt: START,
      alternativeStartedAt: undefined,
      endedAt: undefined,
      plaintextSha256: undefined,
      ciphertextBytes: content.length,
      parts: body.parts,
      sealedFor: "2026-06-01",
      truncated: false,
    };
    const source = provenSource(rig.vault, known, version, NEVER);
    for (const [from, to] of [
      [0, 10],
      [PART_BYTES - 7, PART_BYTES + 7],
      [content.length - 3, content.length + 3],
    ] as const) {
      assert.deepEqual(Buffer.from(await source.read(from, to)), content.subarray(from, to));
    }
    const [first, second] = body.parts;
    assert.ok(first && second);
    const other = provenSource(rig.vault, { ...known, parts: [second, second] }, version, NEVER);
    await assert.rejects(other.read(5, 6), { code: "DESK_TAMPERED" });
    assert.equal((await other.read(PART_BYTES, PART_BYTES + 1)).length, 1);
  });
});

/** Command lines of this process's ffmpegs, which tell nothing (invariant 7). */
function ffmpegsOf(parent: number): readonly string[] {
  const list = execFileSync("ps", ["-o", "stat=,args=", "--ppid", String(parent)], {
    encoding: "utf8",
  });
  const running = list.split("\n").filter((line) => /ffmpeg/.test(line) && !line.startsWith("Z"));
  for (const line of running) assert.doesNotMatch(line, /127\.0\.0\.1|http:|[0-9a-f]{32}/);
  return running;
}
