import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { rootCertificates } from "node:tls";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { openVault } from "../daemon/open-vault.ts";
import { newNodeKeyPem } from "../storage/ledger/note.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { openPatience } from "../storage/vault/patience.ts";
import { readBack } from "../storage/vault/read-back.ts";
import type { S3Calls } from "../storage/vault/s3-answers.ts";
import { openS3Calls } from "../storage/vault/s3-calls.ts";
import { wholeAnswer } from "../storage/vault/s3-guard.ts";
import { readPatiently } from "../storage/vault/s3-read.ts";
import { FREELY, type ObjectBody, type Vault } from "../storage/vault/vault.ts";
import { type BucketUnderTest, openBucket, patternBody, TWO_PARTS_BYTES } from "./fakes/bucket.ts";
import { selfSigned } from "./fakes/certificate.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { handClock, NEVER, START } from "./fakes/rig.ts";
import { type Answer, openS3Proxy, type Passing, type S3Proxy } from "./fakes/s3-proxy.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const KEY = "footage/dock-1/bc-0101/2026/06/01/100000Z-01J00000000000000000000001.age";
/** Waits for nothing: what is tried again is tried at once. */
const hasty: Clock = { ...systemClock, sleep: async (_, signal) => signal.throwIfAborted() };
const UNANSWERED = { name: "BewaardError", code: "VAULT_UNAVAILABLE", transient: true };

function isList({ method, url }: Passing): boolean {
  return method === "GET" && /[?&]versions/.test(url);
}
const listsUploads = ({ method, url }: Passing) => method === "GET" && /[?&]uploads/.test(url);
const begins = ({ method, url }: Passing) => method === "POST" && /[?&]uploads/.test(url);
const completes = ({ method, url }: Passing) => method === "POST" && /[?&]uploadId/.test(url);
const sendsPart = ({ method, url }: Passing) => method === "PUT" && /[?&]partNumber/.test(url);
const asksLock = ({ method, url }: Passing) => method === "GET" && /[?&]retention/.test(url);

function saying(text: string, status = 200): (answer: Answer) => Answer {
  const headers = { "content-type": "application/xml" };
  return () => ({ status, headers, body: Buffer.from(text) });
}

/** The same answer, less one of its headers. */
function without(name: string): (answer: Answer) => Answer {
  return ({ headers, ...rest }) => ({
    ...rest,
    headers: Object.fromEntries(Object.entries(headers).filter(([one]) => one !== name)),
  });
}

function listed(prefix: string, inside: string): string {
  return `<ListVersionsResult><Prefix>${prefix}</Prefix>${inside}</ListVersionsResult>`;
}

function version(size: string, date = "2026-01-01T00:00:00.000Z", id = "v"): string {
  return `<Version><Key>${KEY}</Key><VersionId>${id}</VersionId><Size>${size}</Size><LastModified>${date}</LastModified></Version>`;
}

describe("a vault whose answers are odd", () => {
  let server: S3Server;
  let proxy: S3Proxy;
  let under: BucketUnderTest;
  before(async () => {
    server = await startS3Server({ quirks: "aws", users: [OWNER] });
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

  /** What another process sees, to which `which` requests are answered so. */
  function seeing(which: (passing: Passing) => boolean, alter: (answer: Answer) => Answer): Vault {
    proxy.fault = (passing) => (which(passing) ? { kind: "altered", alter } : undefined);
    return under.again();
  }

  it("does not pass for empty by an answer that is none (R-01)", async () => {
    await under.vault.put(KEY, bytesBody(Buffer.from("beeld")), FREELY, NEVER);
    const nothing = [
      "",
      " \n",
      "<html><body><p>log in first</p></body></html>",
      "<!DOCTYPE html><html/>",
      "<Error><Code>SlowDown</Code></Error>\n",
      "<ListVersionsResult/>",
      listed(KEY, ""),
      // Of before, and of something else.
      listed("footage/dock-1/", "<IsTruncated>false</IsTruncated>"),
    ];
    for (const text of nothing) {
      await assert.rejects(seeing(isList, saying(text)).traces(KEY), UNANSWERED, text);
      await assert.rejects(seeing(isList, saying(text)).versions(KEY), UNANSWERED, text);
    }
    const uploads = ["", "<html/>", "<ListMultipartUploadsResult/>"];
    for (const text of uploads)
      await assert.rejects(seeing(listsUploads, saying(text)).traces(KEY), UNANSWERED, text);
  });

  it("does not pass for one that copies nowhere by an answer that is none (invariant 11)", async () => {
    await using calls = openS3Calls(under.bucket, OWNER);
    for (const text of ["", "<html/>", "<login/>", "<Error></Error> "]) {
      seeing(({ url }) => /[?&]replication/.test(url), saying(text));
      await assert.rejects(calls.replication(), UNANSWERED, text);
    }
  });

  it("says what is no size, no moment and no id, and ends no process", async () => {
    const whole = "<IsTruncated>false</IsTruncated>";
    for (const size of ["-1", "1.5", "1e400", "veel", "99999999999999999999"]) {
      const vault = seeing(isList, saying(listed(KEY, whole + version(size))));
      await assert.rejects(vault.versions(KEY), UNANSWERED, size);
    }
    const early = listed(KEY, whole + version("1", "1960-01-01T00:00:00.000Z"));
    assert.equal((await seeing(isList, saying(early)).versions(KEY)).length, 1);
    for (const date of ["gisteren", "0000-00-00", "99999-01-01T00:00:00Z"]) {
      const vault = seeing(isList, saying(listed(KEY, whole + version("1", date))));
      await assert.rejects(vault.versions(KEY), UNANSWERED, date);
    }
    const keeping = { ...FREELY, lockedUntil: plus(systemClock.now(), HOUR_MS) };
    const body = bytesBody(Buffer.from("beeld"));
    for (const date of ["1960-01-01T00:00:00Z", "ooit"]) {
      const told = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${date}</RetainUntilDate></Retention>`;
      await assert.rejects(
        seeing(asksLock, saying(told)).put(KEY, body, keeping, NEVER),
        UNANSWERED,
      );
    }
    const two = patternBody(TWO_PARTS_BYTES);
    const other = `${KEY.slice(0, -5)}2.age`;
    for (const text of ["<InitiateMultipartUploadResult/>", "<html/>", ""])
      await assert.rejects(
        seeing(begins, saying(text)).put(other, two, FREELY, NEVER),
        UNANSWERED,
        text,
      );
    const untagged = without("etag");
    await assert.rejects(seeing(sendsPart, untagged).put(other, two, FREELY, NEVER), UNANSWERED);
  });

  it("keeps large footage once though its completion ends in an error that says 200", async () => {
    const body = patternBody(TWO_PARTS_BYTES);
    for (const [at, end] of ["", "\n"].entries()) {
      const error = `<?xml version="1.0"?>\n\n<Error><Code>InternalError</Code></Error>${end}`;
      const key = `${KEY.slice(0, -5)}${at}.age`;
      const id = await seeing(completes, saying(error)).put(key, body, FREELY, NEVER);
      proxy.fault = () => undefined;
      assert.deepEqual(await under.vault.traces(key), { versions: 1, markers: 0, unfinished: 0 });
      await readBack(under.vault, key, id, body, "sampled", NEVER);
    }
  });

  it("comes to an end with lists that have none", async () => {
    const more = "<IsTruncated>true</IsTruncated>";
    const cut = seeing(isList, saying(listed("footage/", more + version("1"))));
    await assert.rejects(Array.fromAsync(cut.list("footage/", NEVER)), UNANSWERED);
    const uploads = [
      more,
      `${more}<NextKeyMarker>${KEY}</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>`,
    ];
    for (const inside of uploads) {
      const text = `<ListMultipartUploadsResult>${inside}</ListMultipartUploadsResult>`;
      await assert.rejects(
        seeing(listsUploads, saying(text)).unfinished("footage/"),
        UNANSWERED,
        inside,
      );
    }
    let turn = 0;
    const turning = (): Answer => {
      turn += 1;
      const [key, id] = turn % 2 === 0 ? [`${KEY}.a`, "1"] : [`${KEY}.b`, "2"];
      const next = `<NextKeyMarker>${key}</NextKeyMarker><NextVersionIdMarker>${id}</NextVersionIdMarker>`;
      return saying(listed("footage/", more + next + version("1")))(NOTHING);
    };
    const listing = Array.fromAsync(seeing(isList, turning).list("footage/", NEVER));
    await assert.rejects(listing, UNANSWERED);
    const same = `${more}<NextKeyMarker>${KEY}</NextKeyMarker><NextVersionIdMarker>`;
    turn = 0;
    const growing = (): Answer => {
      turn += 1;
      const text = `${same}${turn % 3}</NextVersionIdMarker>${version("1", undefined, String(turn % 3))}`;
      return saying(listed(KEY, text))(NOTHING);
    };
    await assert.rejects(seeing(isList, growing).versions(KEY), UNANSWERED);
    const upload = { key: KEY, uploadId: "1" };
    await using calls = openS3Calls(under.bucket, OWNER);
    const parts = `${more}<NextPartNumberMarker>1</NextPartNumberMarker>`;
    seeing(() => true, saying(`<ListPartsResult>${parts}</ListPartsResult>`));
    await assert.rejects(calls.listParts(upload), UNANSWERED);
  });

  it("keeps no more in memory than an answer can be, and waits no longer for it", async () => {
    const list = listed(KEY, "<IsTruncated>false</IsTruncated>") + " ".repeat(17 * 1024 * 1024);
    await assert.rejects(seeing(isList, saying(list)).versions(KEY), /of more than 16777216 bytes/);
    async function* dripping() {
      for (;;) {
        await systemClock.sleep(5, NEVER);
        yield Buffer.from(" ");
      }
    }
    const body = Readable.from(dripping(), { objectMode: false });
    await assert.rejects(wholeAnswer(body, "ListParts", 1e9, 50), /ListParts, after 50 ms/);
    assert.equal(body.destroyed, true);
  });

  it("is not read further than was asked, nor than there can be (invariant 9)", async () => {
    const body = patternBody(5_000_000);
    const id = await under.vault.put(KEY, body, FREELY, NEVER);
    /** Gives the whole of it, and more, whatever part was asked for. */
    const whole = (answer: Answer): Answer => ({
      status: 200,
      headers: { ...without("content-range")(answer).headers, "content-length": "9000000" },
      body: Buffer.alloc(9_000_000),
    });
    const isRead = ({ method, url }: Passing) => method === "GET" && /x-id=GetObject/.test(url);
    for (const range of [
      { from: 0, to: 1000 },
      { from: 1000, to: 2000 },
    ]) {
      const read = seeing(isRead, whole).read(KEY, id, NEVER, range);
      let seen = 0;
      const reading = (async () => {
        for await (const chunk of read) seen += chunk.length;
      })();
      await assert.rejects(reading, UNANSWERED);
      assert.ok(seen <= 1000, `${seen}`);
    }
    let given = 0;
    const endless: Vault = {
      ...under.vault,
      async *read() {
        for (; given < 1e9; given += 1_000_000) yield Buffer.alloc(1_000_000);
      },
    };
    await assert.rejects(readBack(endless, KEY, id, body, "whole", NEVER), {
      code: "VAULT_CORRUPT",
    });
    assert.ok(given < 10_000_000);
  });

  it("is not read for ever where it breaks off after each byte, or gives one a minute", async () => {
    let asked = 0;
    const dripping = {
      async *getObject() {
        asked += 1;
        yield Buffer.from("x");
        throw new BewaardError("VAULT_UNAVAILABLE", "reset", { transient: true });
      },
    };
    const clock = handClock(START);
    const patience = openPatience(clock, () => 0);
    const readOf = (calls: Pick<S3Calls, "getObject">) =>
      Array.fromAsync(
        readPatiently(clock, calls, patience, KEY, "v", { from: 0, to: 65_536 }, NEVER),
      );
    await assert.rejects(readOf(dripping), UNANSWERED);
    assert.equal(asked, 4);
    let given = 0;
    const slow = {
      async *getObject() {
        for (;;) {
          clock.move(MINUTE_MS);
          given += 1;
          yield Buffer.from("x");
        }
      },
    };
    await assert.rejects(readOf(slow), UNANSWERED);
    assert.ok(given < 20, `${given}`);
    // Whoever reads may take his time.
    const whole = { getObject: () => bytesBody(Buffer.alloc(100_000)).open() };
    const reader = readPatiently(clock, whole, patience, KEY, "v", undefined, NEVER);
    for await (const _ of reader) clock.move(HOUR_MS);
  });

  it("gets no part more once the bucket is elsewhere, however long the upload takes (invariant 11)", async () => {
    const elsewhere = new BewaardError("VAULT_OUTSIDE_EEA", "elsewhere", { transient: true });
    const body = patternBody(TWO_PARTS_BYTES);
    let moved = false;
    const residency = async () => {
      if (moved) throw elsewhere;
    };
    const watched = {
      ...body,
      async *open(range?: { from: number; to: number }) {
        yield* body.open(range);
        moved = true;
      },
    };
    const vault = under.again({ parallelParts: 1, residency });
    await assert.rejects(vault.put(KEY, watched, FREELY, NEVER), elsewhere);
    assert.equal(proxy.passed.filter(sendsPart).length, 1);
    moved = false;
    await vault.put(KEY, body, FREELY, NEVER);
    assert.equal(proxy.passed.filter(sendsPart).length, 2);
  });

  it("begins anew where the bucket has forgotten the upload, and says no alarm (invariant 8)", async () => {
    const body = patternBody(TWO_PARTS_BYTES);
    let gone = 0;
    // As a rule of the bucket does to what takes more than a day.
    const aborting = {
      ...body,
      async *open(range?: { from: number; to: number }) {
        gone += 1;
        if (gone === 2) {
          for (const upload of await under.calls.listUploads(KEY))
            await under.calls.abortUpload(upload);
        }
        yield* body.open(range);
      },
    };
    const id = await under.again({ parallelParts: 1 }).put(KEY, aborting, FREELY, NEVER);
    await readBack(under.vault, KEY, id, body, "sampled", NEVER);
    assert.deepEqual(await under.vault.traces(KEY), { versions: 1, markers: 0, unfinished: 0 });
  });

  for (const [what, body] of [
    ["small", bytesBody(Buffer.from("beeld"))],
    ["large", patternBody(TWO_PARTS_BYTES)],
  ] as const) {
    it(`does not hold up a stop, at whichever of the requests of something ${what} it comes`, () =>
      stopsAtEach(body));
  }

  async function stopsAtEach(body: ObjectBody): Promise<void> {
    const keeping = { ...FREELY, held: true, lockedUntil: plus(systemClock.now(), HOUR_MS) };
    await under.vault.put(KEY, body, keeping, NEVER);
    const requests = proxy.passed.length;
    assert.ok(requests > 6);
    for (let nth = 0; nth < requests; nth += 1) {
      const key = `${KEY.slice(0, -6)}${String(nth).padStart(2, "0")}.age`;
      const stop = new AbortController();
      let seen = 0;
      proxy.fault = () => {
        seen += 1;
        if (seen <= nth) return undefined;
        stop.abort(new Error("stopped"));
        return { kind: "silence" };
      };
      await assert.rejects(under.again().put(key, body, keeping, stop.signal), /stopped/, `${nth}`);
    }
  }

  it("whose list is of before is written to once, and looked at again", async () => {
    const ceph = await startS3Server({ quirks: "ceph", users: [OWNER] });
    await using _ = ceph;
    await using slow = await openS3Proxy(ceph.endpoint);
    const peer = { ...ceph, credential: OWNER, certificate: undefined };
    await using there = await openBucket(peer, "locked", slow.endpoint, hasty);
    const empty = listed(KEY, "<IsTruncated>false</IsTruncated>");
    let lists = 0;
    slow.fault = (passing) => {
      if (!isList(passing)) return undefined;
      lists += 1;
      return lists <= 3 ? { kind: "altered", alter: saying(empty) } : undefined;
    };
    await there.vault.put(KEY, bytesBody(Buffer.from("beeld")), FREELY, NEVER);
    assert.equal((await there.vault.versions(KEY)).length, 1);
    assert.equal(slow.passed.filter(({ method }) => method === "PUT").length, 1);
  });
});

const NOTHING: Answer = { status: 200, headers: {}, body: Buffer.alloc(0) };

describe("a bucket without versions", () => {
  it("is refused before the first byte: whoever writes there replaces what is there", async () => {
    await using server = await startS3Server({ quirks: "aws", users: [OWNER] });
    await using proxy = await openS3Proxy(server.endpoint);
    const peer = { ...server, credential: OWNER, certificate: undefined };
    await using under = await openBucket(peer, "plain", proxy.endpoint, hasty);
    const put = (vault: Vault) => vault.put(KEY, bytesBody(Buffer.from("beeld")), FREELY, NEVER);
    const asksVersioning = ({ url }: Passing) => /[?&]versioning/.test(url);
    for (const status of ["", "<Status>Suspended</Status>"]) {
      const text = `<VersioningConfiguration>${status}</VersioningConfiguration>`;
      proxy.fault = (passing) =>
        asksVersioning(passing) ? { kind: "altered", alter: saying(text) } : undefined;
      await assert.rejects(put(under.again()), { code: "VAULT_NO_HOLDS", transient: true });
    }
    assert.equal(proxy.passed.filter(({ method }) => method === "PUT").length, 0);
    // Where it cannot be asked, the answer to the write tells.
    proxy.fault = (passing) => {
      if (asksVersioning(passing)) return { kind: "answer", status: 501, code: "NotImplemented" };
      return passing.method === "PUT"
        ? { kind: "altered", alter: without("x-amz-version-id") }
        : undefined;
    };
    await assert.rejects(put(under.again()), { code: "VAULT_NO_HOLDS" });
  });
});

describe("the certificate of own storage", () => {
  it("is asked for whatever the environment says", async () => {
    await using folder = await temporaryFolder();
    const { key, cert } = await selfSigned(folder.path);
    await using server = await startS3Server({ quirks: "aws", users: [OWNER], tls: { key, cert } });
    const bucket = {
      provider: "own",
      region: server.region,
      endpoint: server.endpoint,
      name: "beelden",
      owner: undefined,
      level: "plain",
      certificate: undefined,
      reports: [],
    } as const;
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await using calls = openS3Calls(bucket, OWNER);
      await assert.rejects(calls.location(), /SELF_SIGNED/);
    } finally {
      Reflect.deleteProperty(process.env, "NODE_TLS_REJECT_UNAUTHORIZED");
    }
  });

  it("is one, or no vault is opened: an empty file would stand for all that the system trusts", async () => {
    await using folder = await temporaryFolder();
    const certificate = join(folder.path, "ca.pem");
    const place = {
      provider: "own",
      region: "huis",
      endpoint: "https://127.0.0.1:9",
      bucket: "beelden",
      country: "NL",
      declared_by: "beheer",
      declared_on: START,
      certificate,
    } as const;
    const credentials = async () => ({ box: OWNER });
    const key = newNodeKeyPem();
    const notOne = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (const text of ["", "\n", "geen certificaat", key, notOne]) {
      await writeFile(certificate, text);
      const opening = openVault(hasty, { s3: place }, { credentials });
      await assert.rejects(opening, { code: "CONFIG_INVALID" }, text);
    }
    await writeFile(certificate, `${rootCertificates[0]}\n${rootCertificates[1]}\n`);
    await using _ = await openVault(hasty, { s3: place }, { credentials });
  });
});
