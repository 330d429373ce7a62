import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { openGate } from "../drivers/camera/gate.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { address, hurried, PASSWORD, refusal } from "./fakes/gate-client.ts";
import { camera, guarded, H264, openPeer, sdp } from "./fakes/rtsp-peer.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

/** A key and a certificate that signs itself, as cameras have them. */
function identity(name: string): { key: string; cert: string; digest: string } {
  const [key, cert] = [join(folder.path, `${name}.key`), join(folder.path, `${name}.pem`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", key, "-out", cert, "-subj", `/CN=${name}`, "-days", "1"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...files], { stdio: "ignore" });
  const pem = readFileSync(cert, "utf8");
  const digest = createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
  return { key: readFileSync(key, "utf8"), cert: pem, digest };
}

const ours = identity("camera");
const other = identity("other");
const script = guarded(camera(sdp(H264)), PASSWORD, () => "n1");

function isRefused(error: unknown, message: RegExp): void {
  assert.ok(error instanceof BewaardError);
  assert.equal(error.code, "CAMERA_REFUSED");
  assert.match(error.message, message);
}

describe("A camera over TLS", () => {
  it("is taken by the digest of its certificate, whoever signed that", async () => {
    await using peer = await openPeer(script, ours);
    const pinned = address(peer.url, { certificate: ours.digest });
    await using gate = await openGate(systemClock, pinned, new AbortController().signal);
    assert.equal(gate.offer.video, "h264");
    assert.match(gate.url, /^rtsp:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}$/);
  });

  it("hears not a byte of a request under another certificate", async () => {
    await using peer = await openPeer(script, other);
    const pinned = address(peer.url, { certificate: ours.digest });
    isRefused(await refusal(pinned), /not the pinned one/);
    assert.equal(peer.heard().length, 0);
  });

  it("is not connected to without a pinned certificate", async () => {
    await using peer = await openPeer(script, ours);
    isRefused(await refusal(address(peer.url)), /without a pinned certificate/);
    assert.equal(peer.heard().length, 0);
  });

  it("is unreachable where nothing answers, or nothing that speaks TLS", async () => {
    const peer = await openPeer(script);
    const { port } = peer;
    const tls = address(`rtsps://127.0.0.1:${port}/x`, { certificate: ours.digest });
    const mute = await refusal(tls, hurried);
    assert.ok(mute instanceof BewaardError);
    assert.deepEqual([mute.code, mute.transient], ["CAMERA_UNREACHABLE", true]);
    await peer[Symbol.asyncDispose]();
    const gone = await refusal(address(`rtsp://127.0.0.1:${port}/x`));
    assert.ok(gone instanceof BewaardError);
    assert.deepEqual([gone.code, gone.transient], ["CAMERA_UNREACHABLE", true]);
  });

  it("is given up at once when the opening is called off", async () => {
    await using peer = await openPeer(() => undefined);
    const calledOff = new AbortController();
    const opening = openGate(systemClock, address(peer.url), calledOff.signal);
    await peer.until("OPTIONS");
    const reason = new Error("called off");
    calledOff.abort(reason);
    await assert.rejects(opening, reason);
  });
});
