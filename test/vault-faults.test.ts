import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, plus } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { readBack } from "../storage/vault/read-back.ts";
import { FREELY, type Keeping, type ObjectBody, type Vault } from "../storage/vault/vault.ts";
import { type BucketUnderTest, openBucket } from "./fakes/bucket.ts";
import { NEVER } from "./fakes/rig.ts";
import {
  type Answer,
  type Fault,
  openS3Proxy,
  type Passing,
  type S3Proxy,
} from "./fakes/s3-proxy.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const KEY = "footage/dock-1/bc-0101/2026/06/01/100000Z-01J00000000000000000000001.age";
/** Waits for nothing: what is tried again is tried at once. */
const hasty: Clock = { ...systemClock, sleep: async (_, signal) => signal.throwIfAborted() };

function kept(): Keeping {
  return {
    facts: { id: "x", started: "2026" },
    held: true,
    lockedUntil: plus(systemClock.now(), HOUR_MS),
  };
}

function put(vault: Vault, body: ObjectBody, key = KEY): Promise<string> {
  return vault.put(key, body, kept(), NEVER);
}

describe("a vault behind a line on which things go wrong", () => {
  let server: S3Server;
  let proxy: S3Proxy;
  let under: BucketUnderTest;
  before(async () => {
    server = await startS3Server({ quirks: "ceph", users: [OWNER] });
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await openS3Proxy(server.endpoint);
    const peer = { ...server, credential: OWNER, certificate: undefined };
    under = await openBucket(peer, "locked", proxy.endpoint, hasty);
  });
  afterEach(async () => {
    await under[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  /** Lets `fault` befall the `nth` request from now on, and those after it up to `times`. */
  function befall(nth: number, fault: Fault, times = 1): void {
    let seen = 0;
    proxy.fault = () => {
      const here = seen >= nth && seen < nth + times;
      seen += 1;
      return here ? fault : undefined;
    };
  }

  /** Whatever happened before: tried again on a good line it is there once, whole, held and locked. */
  async function convergesTo(body: ObjectBody): Promise<void> {
    proxy.fault = () => undefined;
    const version = await put(under.vault, body);
    assert.deepEqual(await under.vault.traces(KEY), { versions: 1, markers: 0, unfinished: 0 });
    await readBack(under.vault, KEY, version, body, "whole", NEVER);
    assert.equal(await under.vault.isHeld(KEY, version), true);
    await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_HELD" });
  }

  const FAULTS: Readonly<Record<string, Fault>> = {
    "breaks before a byte": { kind: "reset", afterBytes: 0 },
    "breaks in the middle": { kind: "reset", afterBytes: 40_000 },
    "ends in 500": { kind: "answer", status: 500, code: "InternalError" },
    "ends in 503": { kind: "answer", status: 503, code: "SlowDown" },
    "is done and never answered": { kind: "answer lost" },
    "is refused with 403": { kind: "answer", status: 403, code: "AccessDenied" },
  };
  for (const [what, fault] of Object.entries(FAULTS)) {
    it(`stores once, whole, held and locked, whichever of its requests ${what}`, async () => {
      const body = bytesBody(randomBytes(100_000));
      await put(under.vault, body);
      const requests = proxy.passed.length;
      for (let nth = 0; nth < requests; nth += 1) {
        const peer = { ...server, credential: OWNER, certificate: undefined };
        await using fresh = await openBucket(peer, "locked", proxy.endpoint, hasty);
        under = fresh;
        befall(nth, fault);
        await put(fresh.vault, body).catch((error: unknown) => {
          if (!(error instanceof BewaardError)) throw error;
          assert.notEqual(what, "ends in 503", `request ${nth}: one 503 is tried again`);
        });
        await convergesTo(body);
      }
    });
  }

  it("says the same within bounds while every answer is late", async () => {
    proxy.fault = () => ({ kind: "late", ms: 30 });
    await put(under.vault, bytesBody(randomBytes(1000)));
  });

  it("never follows to another region, and says that it was sent there (invariant 11)", async () => {
    befall(0, { kind: "answer", status: 301, code: "PermanentRedirect" }, 1000);
    await assert.rejects(put(under.vault, bytesBody(randomBytes(1000))), {
      code: "VAULT_OUTSIDE_EEA",
    });
    assert.equal(proxy.passed.length, 1);
  });

  it("takes no clock that is too far off for a broken vault, nor for a stored object", async () => {
    befall(0, { kind: "answer", status: 403, code: "RequestTimeTooSkewed" }, 1000);
    await assert.rejects(put(under.vault, bytesBody(randomBytes(1000))), /clock is wrong/);
  });

  it("finds out a vault that says 200 and keeps nothing", async () => {
    proxy.fault = ({ method }) =>
      method === "PUT" ? { kind: "answer", status: 200, code: "" } : undefined;
    await assert.rejects(put(under.vault, bytesBody(randomBytes(1000))), BewaardError);
    proxy.fault = () => undefined;
    assert.deepEqual(await under.vault.versions(KEY), []);
  });

  it("finds out a vault that says 200 and keeps junk, before anything counts as stored (invariant 1)", async () => {
    const body = bytesBody(randomBytes(3_000_000));
    const version = await put(under.vault, body);
    proxy.fault = (passing) => (isRead(passing) ? { kind: "altered", alter: spoilt } : undefined);
    for (const how of ["sampled", "whole"] as const)
      await assert.rejects(readBack(under.vault, KEY, version, body, how, NEVER), {
        code: "VAULT_CORRUPT",
      });
    const text = bytesBody(Buffer.from("a checkpoint"));
    await assert.rejects(put(under.vault, text, "ledger/dock-1/checkpoint/1"), {
      code: "VAULT_CORRUPT",
    });
  });

  it("finds out a vault that echoes another checksum, or another size", async () => {
    const body = bytesBody(randomBytes(1000));
    for (const header of ["x-amz-checksum-sha256", "x-amz-meta-sha256", "content-length"]) {
      const alter = ({ headers, ...rest }: Answer): Answer => ({
        ...rest,
        headers: { ...headers, [header]: header === "content-length" ? "999" : "AAAA" },
      });
      proxy.fault = ({ method }) => (method === "HEAD" ? { kind: "altered", alter } : undefined);
      await assert.rejects(put(under.vault, body, `${KEY.slice(0, -5)}${header.length}.age`), {
        code: /VAULT_CORRUPT|VAULT_CONFLICT/,
      });
    }
  });

  it("takes a list of before for no proof of anything: neither that it is stored, nor that it is gone (R-01)", async () => {
    const body = bytesBody(randomBytes(1000));
    const old = await listed();
    proxy.fault = (passing) =>
      isList(passing) ? { kind: "altered", alter: () => old } : undefined;
    await assert.rejects(put(under.vault, body), { code: "VAULT_UNAVAILABLE" });
    proxy.fault = () => undefined;
    const version = await put(under.vault, body);
    await under.vault.setHold(KEY, version, false);
    const there = await listed();
    proxy.fault = (passing) =>
      isList(passing) ? { kind: "altered", alter: () => there } : undefined;
    assert.equal((await under.vault.traces(KEY)).versions, 1);
  });

  it("reads which of several was not deleted in an answer that says 200", async () => {
    const version = await under.vault.put(KEY, bytesBody(randomBytes(1000)), FREELY, NEVER);
    const alter = (answer: Answer): Answer => ({
      ...answer,
      body: Buffer.from(notDeleted(version)),
    });
    proxy.fault = ({ url }) => (/[?&]delete/.test(url) ? { kind: "altered", alter } : undefined);
    await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_UNAVAILABLE" });
    proxy.fault = () => undefined;
    await under.vault.destroy(KEY, version);
  });

  /** The answer to a listing of this key, as it is now. */
  async function listed(): Promise<Answer> {
    const answers: Answer[] = [];
    proxy.fault = (passing) =>
      isList(passing)
        ? { kind: "altered", alter: (answer) => (answers.push(answer), answer) }
        : undefined;
    await under.vault.versions(KEY);
    const [first] = answers;
    assert.ok(first);
    return first;
  }
});

function isList({ method, url }: Passing): boolean {
  return method === "GET" && /[?&]versions/.test(url);
}

function isRead({ method, url }: Passing): boolean {
  return method === "GET" && /[?&]versionId/.test(url);
}

/** One bit of each 1000 bytes of it is another. */
function spoilt({ body, ...rest }: Answer): Answer {
  const junk = Buffer.from(body);
  for (let at = 0; at < junk.length; at += 1000) junk.writeUInt8(junk.readUInt8(at) ^ 1, at);
  return { ...rest, body: junk };
}

function notDeleted(versionId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<DeleteResult><Error><Key>${KEY}</Key><VersionId>${versionId}</VersionId><Code>InternalError</Code><Message>-</Message></Error></DeleteResult>`;
}
