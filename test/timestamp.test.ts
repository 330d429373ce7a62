import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import { checkpoint } from "../daemon/checkpoint.ts";
import { checkTimestamp, timestampQuery } from "../daemon/openssl-timestamp.ts";
import { timestamp } from "../daemon/timestamp.ts";
import { append } from "../storage/ledger/append.ts";
import { newestPublished } from "../storage/ledger/checkpoint.ts";
import { newestTimestamp } from "../storage/ledger/timestamps.ts";
import { readText } from "../storage/vault/body.ts";
import { timestampKey } from "../storage/vault/keys.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import {
  type Answer,
  makeAuthority,
  replyTo,
  serveAuthority,
} from "./peers/timestamp-authority.ts";

const made = temporaryFolder().then(async (folder) => {
  await makeAuthority(join(folder.path, "authority"));
  return folder;
});
after(async () => (await made)[Symbol.asyncDispose]());

/** A copy of the authority, so that no two tests share its files. */
async function authorityIn(rig: Rig): Promise<string> {
  const folder = join(rig.folder, "authority");
  await cp(join((await made).path, "authority"), folder, { recursive: true });
  return folder;
}

/** Something new in the ledger, signed and published. */
async function publishSomething(rig: Rig): Promise<number> {
  await rig.database.transaction((sql) =>
    append(sql, rig.clock.now(), [{ kind: "gap.recorded", facts: { at: rig.clock.now() } }]),
  );
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
  return (await rig.database.transaction(newestPublished))?.size ?? 0;
}

async function letAsk(rig: Rig, url: string, minutes: number, patienceMs = 20_000): Promise<void> {
  const { clock, signal } = turns(rig.clock, minutes);
  const { events, database, vault, box, askHistory } = rig;
  const authority = { url, authority: join(rig.folder, "authority", "ca.pem"), patienceMs };
  await timestamp(clock, events, database, vault, box.node, authority, askHistory, signal);
}

describe("a timestamp over the ledger (RFC 3161)", function () {
  it("is over the newest published checkpoint, in the catalog, the ledger and the vault", async () => {
    await using rig = await openRig();
    await using server = await serveAuthority(await authorityIn(rig));
    const size = await publishSomething(rig);
    await letAsk(rig, server.url, 1);
    const stamp = await rig.database.transaction(newestTimestamp);
    assert.equal(stamp?.size, size);
    assert.ok(Math.abs((stamp?.toldAt ?? 0) - systemClock.now()) < 5 * MINUTE_MS);
    const key = timestampKey(rig.box.node, size);
    const [version] = await rig.vault.versions(key);
    const stored = await readText(rig.vault, key, version?.versionId ?? "", NEVER);
    assert.equal(stored, stamp?.reply.toString("utf8"));
    const [entry] = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'checkpoint.timestamped'"),
    );
    const digest = createHash("sha256")
      .update(stamp?.reply ?? "")
      .digest("hex");
    assert.match(String(entry?.["body"]), new RegExp(`"sha256":"${digest}".*"size":${size}`));
    assert.deepEqual(await rig.check(), []);
  });

  it("is asked for once a day", async () => {
    await using rig = await openRig();
    await using server = await serveAuthority(await authorityIn(rig));
    await publishSomething(rig);
    for (let hour = 0; hour <= 48; hour += 6) {
      await letAsk(rig, server.url, 1);
      rig.clock.move(6 * HOUR_MS);
      await publishSomething(rig);
    }
    assert.equal(server.asked(), 3);
  });

  it("is asked for again an hour after it failed, and nothing else waits for it", async () => {
    await using rig = await openRig();
    const folder = await authorityIn(rig);
    let refuse = true;
    await using server = await serveAuthority(folder, async (query, response) => {
      if (refuse) response.writeHead(503).end();
      else response.end(await replyTo(folder, query));
    });
    await publishSomething(rig);
    await letAsk(rig, server.url, 59);
    assert.equal(server.asked(), 1);
    refuse = false;
    await letAsk(rig, server.url, 2);
    assert.deepEqual(
      rig.said.filter((event) => event.startsWith("timestamp")),
      ["timestamp-delayed", "timestamped"],
    );
    assert.equal(await publishSomething(rig), 4);
  });

  it("that the vault could not take is there, and is put later", async () => {
    await using rig = await openRig();
    await using server = await serveAuthority(await authorityIn(rig));
    const size = await publishSomething(rig);
    const put = rig.vault.put.bind(rig.vault);
    rig.vault.put = () =>
      Promise.reject(new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true }));
    await letAsk(rig, server.url, 1);
    rig.vault.put = put;
    rig.clock.move(HOUR_MS);
    await letAsk(rig, server.url, 1);
    assert.equal((await rig.vault.versions(timestampKey(rig.box.node, size))).length, 1);
    assert.equal(server.asked(), 1);
  });
});

const OTHER = createHash("sha256").update("another checkpoint").digest("hex");

/** What a false or broken authority answers, and the code that refuses it. */
const WRONG: Readonly<Record<string, readonly [code: string, (folder: string) => Answer]>> = {
  "over another checkpoint": [
    "TIMESTAMP_REFUSED",
    (folder) => async (_, response) => {
      response.end(await replyTo(folder, await timestampQuery(OTHER, NEVER)));
    },
  ],
  "to another question over the same checkpoint": [
    "TIMESTAMP_REFUSED",
    (folder) => async (query, response) => {
      // The nonce is the last integer but for "certificate please", at the end.
      const other = Buffer.from(query);
      const at = other.length - 6;
      other[at] = (other[at] ?? 0) ^ 1;
      response.end(await replyTo(folder, other));
    },
  ],
  "of another authority": [
    "TIMESTAMP_REFUSED",
    (folder) => async (query, response) => {
      await makeAuthority(`${folder}-other`);
      response.end(await replyTo(`${folder}-other`, query));
    },
  ],
  "that is garbage": [
    "TIMESTAMP_REFUSED",
    () => (_, response) => void response.end("<html>no</html>"),
  ],
  "that is empty": ["TIMESTAMP_REFUSED", () => (_, response) => void response.end()],
  "that is cut off": [
    "TIMESTAMP_REFUSED",
    (folder) => async (query, response) => {
      response.end((await replyTo(folder, query)).subarray(0, 300));
    },
  ],
  "that is huge": [
    "TIMESTAMP_UNAVAILABLE",
    () => (_, response) => void response.end(Buffer.alloc(70_000)),
  ],
  "that leads elsewhere": [
    "TIMESTAMP_UNAVAILABLE",
    () => (_, response) => void response.writeHead(307, { location: "http://127.0.0.1:9/" }).end(),
  ],
  "that never ends": [
    "TIMESTAMP_UNAVAILABLE",
    () => (_, response) => void response.writeHead(200).write("0"),
  ],
  "that never begins": ["TIMESTAMP_UNAVAILABLE", () => () => undefined],
};

describe("a reply of a timestamp authority", function () {
  for (const [what, [code, answerOf]] of Object.entries(WRONG)) {
    it(`${what} is refused with ${code}, and nothing is recorded`, async () => {
      await using rig = await openRig();
      const folder = await authorityIn(rig);
      await using server = await serveAuthority(folder, answerOf(folder));
      await publishSomething(rig);
      await letAsk(rig, server.url, 1, code === "TIMESTAMP_REFUSED" ? 20_000 : 300);
      assert.equal(await rig.database.transaction(newestTimestamp), undefined);
      assert.ok(rig.said.includes("timestamp-delayed"), rig.said.join());
      assert.ok(
        rig.lines.some((line) => line.includes(code)),
        rig.lines.at(-1),
      );
    });
  }

  it("is good later for the digest it is over, and for no other", async () => {
    await using rig = await openRig();
    const folder = await authorityIn(rig);
    const digest = createHash("sha256").update("checkpoint").digest("hex");
    const reply = await replyTo(folder, await timestampQuery(digest, NEVER));
    const ca = join(folder, "ca.pem");
    assert.ok(
      Math.abs((await checkTimestamp({ digest }, reply, ca, NEVER)) - systemClock.now()) < DAY_MS,
    );
    const other = checkTimestamp({ digest: OTHER }, reply, ca, NEVER);
    await assert.rejects(other, { code: "TIMESTAMP_REFUSED" });
  });
});
