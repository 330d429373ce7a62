import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { type Clock, HOUR_MS, instantOf, MINUTE_MS } from "#base/time";
import {
  type UploadSettings,
  uploadBytesPerSecond,
  uploadSchema,
} from "../config/upload-schema.ts";
import { limited, openBandwidth } from "../daemon/bandwidth.ts";
import { store, type Upload } from "../daemon/store.ts";
import { countStates } from "../storage/catalog/due.ts";
import { catalogNotes } from "../storage/catalog/uploads.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { segmentOf } from "../storage/vault/keys.ts";
import { type ReadBack, readBack } from "../storage/vault/read-back.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { drainsFlat } from "./fakes/backlog.ts";
import { handClock, NEVER, named, openRig, type Rig, UPLOAD } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const away = () => new BewaardError("VAULT_UNAVAILABLE", "no answer", { transient: true });

async function storeWith(rig: Rig, vault: Vault, upload: Partial<Upload> = {}, count = 1) {
  const { clock, signal } = turns(rig.clock, count);
  const { events, database, spool, box } = rig;
  await store(clock, events, database, spool, vault, box.node, { ...UPLOAD, ...upload }, signal);
}

async function recorded(rig: Rig, count: number): Promise<readonly SegmentId[]> {
  const ids: SegmentId[] = [];
  for (let minute = 0; minute < count; minute += 1)
    ids.push(await rig.record(`beeld ${minute}`, named(-minute)));
  await rig.adoptOnce();
  return ids;
}

/** Puts of footage in the order in which they began, and how many were going on at once. */
function watched(inner: Vault): {
  vault: Vault;
  began: (SegmentId | undefined)[];
  most: () => number;
} {
  const began: (SegmentId | undefined)[] = [];
  let now = 0;
  let most = 0;
  const vault: Vault = {
    ...inner,
    async put(key, ...rest) {
      began.push(segmentOf(key));
      now += 1;
      most = Math.max(most, now);
      try {
        return await inner.put(key, ...rest);
      } finally {
        now -= 1;
      }
    },
  };
  return { vault, began, most: () => most };
}

describe("uploads", () => {
  it("begin with the oldest recording, and run as many at a time as is asked for", async () => {
    await using rig = await openRig();
    const ids = await recorded(rig, 9);
    const three = Promise.withResolvers<void>();
    let puts = 0;
    const { vault, began, most } = watched({
      ...rig.vault,
      async put(...asked) {
        puts += 1;
        if (puts === 3) three.resolve();
        // However fast they are: the first is not done before there are three.
        await three.promise;
        return rig.vault.put(...asked);
      },
    });
    // Real time: with more than one at a time somebody may have to wait for another.
    const { events, database, spool, box } = rig;
    const stop = new AbortController();
    const clock: Clock = { ...rig.clock, sleep: sleepUntilAllIsStored(rig, stop) };
    const upload = { ...UPLOAD, parallel: 3 };
    await store(clock, events, database, spool, vault, box.node, upload, stop.signal);
    assert.deepEqual(began, ids.toReversed());
    assert.equal(most(), 3);
    assert.deepEqual(await rig.check(), []);
  });

  it("are not held up by one that never ends", async () => {
    await using rig = await openRig();
    const ids = await recorded(rig, 6);
    const stuck = ids.at(-1);
    const vault: Vault = {
      ...rig.vault,
      put: (key, body, keeping, signal) =>
        segmentOf(key) === stuck
          ? new Promise((_, reject) =>
              signal.addEventListener("abort", () => reject(away()), { once: true }),
            )
          : rig.vault.put(key, body, keeping, signal),
    };
    const { events, database, spool, box } = rig;
    const stop = new AbortController();
    let late: SegmentId | undefined;
    const clock: Clock = {
      ...rig.clock,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        const { sealed = 0 } = await countStates(rig.database);
        if (late === undefined && sealed === 1) {
          // Comes while the first is still stuck, and must not wait for it.
          late = await rig.record("later", named(5));
          await rig.adoptOnce();
        } else if (sealed === 1) stop.abort();
        rig.clock.move(ms);
        await new Promise((resolve) => process.nextTick(resolve));
        signal.throwIfAborted();
      },
    };
    const upload = { ...UPLOAD, parallel: 2 };
    await store(clock, events, database, spool, vault, box.node, upload, stop.signal);
    assert.equal((await countStates(rig.database))["stored"], 6);
    assert.ok(late);
  });

  it("go on past one that is refused, which is looked at again after an hour", async () => {
    await using rig = await openRig();
    const ids = await recorded(rig, 4);
    let tries = 0;
    const vault: Vault = {
      ...rig.vault,
      async put(key, ...rest) {
        if (segmentOf(key) !== ids.at(-1)) return rig.vault.put(key, ...rest);
        tries += 1;
        throw new BewaardError("VAULT_CONFLICT", "other bytes");
      },
    };
    await storeWith(rig, vault, {}, 700);
    assert.equal(tries, 1);
    assert.equal((await countStates(rig.database))["stored"], 3);
    await storeWith(rig, vault, {}, 800);
    assert.equal(tries, 3);
  });

  it("are not held up by a few that are never answered, as many as make a vault seem away", async () => {
    await using rig = await openRig();
    const ids = await recorded(rig, 6);
    const bad = new Set(ids.slice(-3));
    let tries = 0;
    const vault: Vault = {
      ...rig.vault,
      async put(key, ...rest) {
        if (![...bad].some((id) => id === segmentOf(key))) return rig.vault.put(key, ...rest);
        tries += 1;
        throw away();
      },
    };
    await storeWith(rig, vault, {}, 800);
    assert.equal((await countStates(rig.database))["stored"], 3);
    assert.ok(tries >= 4, "they are tried again all the same");
  });

  it("stop when the vault lets this box do nothing, instead of an alarm for each that waits", async () => {
    await using rig = await openRig();
    await recorded(rig, 8);
    let tries = 0;
    const denied = () => new BewaardError("VAULT_DENIED", "403");
    const vault: Vault = { ...rig.vault, put: () => ((tries += 1), Promise.reject(denied())) };
    await storeWith(rig, vault);
    assert.equal(tries, 2);
    assert.deepEqual(
      rig.said.filter((event) => event === "unsafe" || event === "store-paused"),
      ["unsafe", "unsafe", "store-paused"],
    );
    await storeWith(rig, rig.vault, {}, 200);
    assert.equal((await countStates(rig.database))["stored"], 8);
  });

  it("stop when the vault is away, and one that fails by bad luck is not the vault", async () => {
    await using rig = await openRig();
    await recorded(rig, 4);
    let tries = 0;
    const refusing: Vault = { ...rig.vault, put: () => ((tries += 1), Promise.reject(away())) };
    await storeWith(rig, refusing);
    assert.equal(tries, 2);
    assert.equal(rig.said.filter((event) => event === "store-paused").length, 1);
    let unlucky = 1;
    const unsteady: Vault = {
      ...rig.vault,
      put: (...asked) => (unlucky-- > 0 ? Promise.reject(away()) : rig.vault.put(...asked)),
    };
    await storeWith(rig, unsteady);
    assert.equal((await countStates(rig.database))["stored"], 3);
    assert.equal(rig.said.filter((event) => event === "store-paused").length, 1);
  });
});

/** Sleeps no real time; ends the loop once nothing is sealed any more. */
function sleepUntilAllIsStored(rig: Rig, stop: AbortController): Clock["sleep"] {
  return async (ms, signal) => {
    rig.clock.move(ms);
    if (((await countStates(rig.database))["sealed"] ?? 0) === 0) stop.abort();
    signal.throwIfAborted();
  };
}

describe("a backlog", () => {
  it("drains to its end in one go, past a bad one, with flat memory", async function () {
    this.timeout(120_000);
    await drainsFlat(1000);
  });
});

describe("what is read back (invariant 1)", () => {
  const content = randomBytes(3_000_000);

  async function spoiled(at: number, how: ReadBack): Promise<boolean> {
    await using rig = await openRig();
    const body = bytesBody(content);
    const version = await rig.vault.put("footage/x", body, FREELY, NEVER);
    const other = Buffer.from(content);
    other[at] = (other[at] ?? 0) ^ 1;
    const path = join(rig.folder, "vault", "footage/x~", version, "body");
    await rig.vault.destroy("footage/x", version);
    const again = await rig.vault.put("footage/x", bytesBody(other), FREELY, NEVER);
    assert.notEqual(again, version, path);
    try {
      await readBack(rig.vault, "footage/x", again, body, how, NEVER);
      return false;
    } catch (error) {
      return error instanceof BewaardError && error.code === "VAULT_CORRUPT";
    }
  }

  it("agrees with what was put", async () => {
    await using rig = await openRig();
    const body = bytesBody(content);
    const version = await rig.vault.put("footage/x", body, FREELY, NEVER);
    for (const how of ["sampled", "whole"] as const)
      await readBack(rig.vault, "footage/x", version, body, how, NEVER);
  });

  it("sampled, finds a first or last byte that is another; whole, any byte", async () => {
    assert.equal(await spoiled(0, "sampled"), true);
    assert.equal(await spoiled(content.length - 1, "sampled"), true);
    for (let round = 0; round < 3; round += 1)
      assert.equal(await spoiled(100_000 + round * 777_777, "whole"), true);
  });

  it("and is not what was sealed keeps the segment sealed, and is an alarm", async () => {
    await using rig = await openRig();
    await recorded(rig, 1);
    const vault: Vault = {
      ...rig.vault,
      async *read() {
        yield Buffer.from("junk of a vault that said 200");
      },
    };
    await storeWith(rig, vault);
    assert.equal((await countStates(rig.database))["sealed"], 1);
    assert.ok(rig.said.includes("unsafe"));
  });
});

describe("the upload limit", () => {
  const LIMIT = uploadSchema.parse({
    limit: "40 Mbit/s",
    between: { "07:00-19:00": "10 Mbit/s" },
  });

  /** How many bytes four uploads together get through in so long from `start`, on a clock of its own. */
  async function sent(limit: UploadSettings, start: string, forMs: number): Promise<number> {
    const clock = handClock(instantOf(start));
    const ends = clock.uptimeMs() + forMs;
    const timed: Clock = {
      ...clock,
      async sleep(ms) {
        clock.move(ms);
      },
    };
    const bandwidth = openBandwidth(timed, (now) => uploadBytesPerSecond(limit, now));
    let bytes = 0;
    while (clock.uptimeMs() < ends) {
      await bandwidth.pass(65_536, NEVER);
      bytes += 65_536;
    }
    return bytes;
  }

  function near(bytes: number, wanted: number): void {
    assert.ok(Math.abs(bytes - wanted) <= wanted / 100 + 131_072, `${bytes}, not ${wanted}`);
  }

  it("holds in its hours by local time, summer and winter, and changes at its hour", async () => {
    near(await sent(LIMIT, "2026-07-01T04:59:00.000Z", MINUTE_MS), 60 * 5_000_000);
    near(await sent(LIMIT, "2026-07-01T05:00:00.000Z", MINUTE_MS), 60 * 1_250_000);
    near(await sent(LIMIT, "2026-12-01T06:00:00.000Z", MINUTE_MS), 60 * 1_250_000);
    near(await sent(LIMIT, "2026-12-01T05:30:00.000Z", HOUR_MS), 1800 * (5_000_000 + 1_250_000));
  });

  it("may cross midnight", async () => {
    const night = { "22:00-06:00": "10 Mbit/s" };
    const limit = uploadSchema.parse({ limit: "40 Mbit/s", between: night });
    near(await sent(limit, "2026-12-01T22:30:00.000Z", MINUTE_MS), 60 * 1_250_000);
    near(await sent(limit, "2026-12-01T04:59:00.000Z", MINUTE_MS), 60 * 1_250_000);
    near(await sent(limit, "2026-12-01T05:00:00.000Z", MINUTE_MS), 60 * 5_000_000);
  });

  it("does not count what is only read here, for its hash", async () => {
    const asked: number[] = [];
    const pass = async (bytes: number) => void asked.push(bytes);
    const body = limited(
      bytesBody(Buffer.alloc(100_000)),
      { pieceBytes: () => 65_536, pass },
      NEVER,
    );
    assert.equal((await Array.fromAsync(body.openHere?.() ?? [])).length, 1);
    assert.deepEqual(asked, []);
    await Array.fromAsync(body.open({ from: 0, to: 70_000 }));
    assert.deepEqual(asked, [65_536, 4464]);
  });

  it("leaves none of many uploads silent for so long that a provider hangs up", async () => {
    const clock = handClock(instantOf("2026-12-01T06:00:00.000Z"));
    const timed: Clock = {
      ...clock,
      async sleep(ms) {
        clock.move(ms);
      },
    };
    const limit = uploadSchema.parse({ limit: "100 kbit/s", parallel: 16 });
    const bandwidth = openBandwidth(timed, (now) => uploadBytesPerSecond(limit, now));
    const body = limited(bytesBody(Buffer.alloc(100_000)), bandwidth, NEVER);
    // 16 objects, 4 parts of each: in turn, as they wait for one measure.
    const uploads = Array.from({ length: 64 }, () => body.open()[Symbol.asyncIterator]());
    let longestMs = 0;
    let before = clock.uptimeMs();
    for (let round = 0; round < 5; round += 1) {
      for (const upload of uploads) assert.ok((await upload.next()).value);
      longestMs = Math.max(longestMs, clock.uptimeMs() - before);
      before = clock.uptimeMs();
    }
    assert.ok(longestMs < 20_000, `${longestMs} ms`);
    assert.ok(longestMs > 5000, "and the limit holds");
  });

  it("counts the bytes of footage", async () => {
    await using rig = await openRig();
    await rig.record(randomBytes(1_000_000));
    await rig.adoptOnce();
    const before = rig.clock.uptimeMs();
    const { events, database, spool, box } = rig;
    const stop = new AbortController();
    const clock: Clock = {
      ...rig.clock,
      async sleep(ms, signal) {
        rig.clock.move(ms);
        // The wait of the loop itself, after its one sweep.
        if (ms === 5000) stop.abort();
        signal.throwIfAborted();
      },
    };
    const upload = { ...UPLOAD, bytesPerSecondAt: () => 100_000 };
    await store(clock, events, database, spool, rig.vault, box.node, upload, stop.signal);
    const tookMs = rig.clock.uptimeMs() - before - 5000;
    assert.equal((await countStates(rig.database))["stored"], 1);
    assert.ok(tookMs >= 9000 && tookMs <= 10_500, `${tookMs} ms`);
  });
});

describe("notes of uploads", () => {
  it("are the upload begun last and its confirmed parts, until its end", async () => {
    await using rig = await openRig();
    const notes = catalogNotes(rig.database, rig.clock);
    assert.equal(await notes.resume("footage/x"), undefined);
    await notes.begin("footage/x", "first");
    await notes.part("footage/x", 1, '"a"');
    await notes.begin("footage/x", "second");
    await notes.part("footage/x", 2, '"b"');
    await notes.part("footage/x", 2, '"c"');
    assert.deepEqual(await notes.resume("footage/x"), {
      uploadId: "second",
      parts: new Map([[2, '"c"']]),
    });
    await notes.end("footage/x");
    await notes.end("footage/x");
    assert.equal(await notes.resume("footage/x"), undefined);
    const rows = await rig.database.transaction((sql) => sql.all("select 1 from upload_part"));
    assert.deepEqual(rows, []);
  });

  it("take no part of an upload that was not begun", async () => {
    await using rig = await openRig();
    const notes = catalogNotes(rig.database, rig.clock);
    await notes.part("footage/x", 1, '"a"');
    assert.equal(await notes.resume("footage/x"), undefined);
  });
});
