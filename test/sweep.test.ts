import assert from "node:assert/strict";
import { mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, instant } from "#base/time";
import { breachesLast } from "../daemon/alarms/breaches-last.ts";
import { findBreaches } from "../daemon/find-breaches.ts";
import { sweepVault } from "../daemon/sweep-vault.ts";
import { confirmTime } from "../daemon/trust.ts";
import { textBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { CAMERA, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const entry = z.looseObject({ at: z.string(), kind: z.string() });
const ID = parseSegmentId("01J00000000000000000000001");

async function sweep(rig: Rig, hours = 1, vault: Vault = rig.vault): Promise<void> {
  const { clock, signal } = turns(rig.clock, hours);
  const { events, database, box, askHistory } = rig;
  await sweepVault(clock, events, database, vault, box.node, undefined, askHistory, signal);
}

async function look(rig: Rig, hours = 1): Promise<void> {
  const { clock, signal } = turns(rig.clock, hours);
  await findBreaches(clock, rig.events, rig.database, rig.spool, rig.box.term, signal);
}

async function trusted(rig: Rig): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
}

/** What entries of `kind` say, beside when. */
async function told(rig: Rig, kind: string): Promise<readonly Record<string, unknown>[]> {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind = $kind order by seq", { $kind: kind }),
  );
  return rows.map((row) => {
    const { at: _at, kind: _kind, ...facts } = entry.parse(JSON.parse(String(row["body"])));
    return facts;
  });
}

async function keyOf(rig: Rig, id: string): Promise<string> {
  for await (const { key } of rig.vault.list("footage/dock-1/", NEVER))
    if (key.includes(id)) return key;
  return "";
}

/** Where the bytes of a key lie. */
async function bodyOf(rig: Rig, key: string): Promise<string> {
  const folder = join(rig.folder, "vault", `${key}~`);
  const [version = ""] = await readdir(folder);
  return join(folder, version, "body");
}

function orphanAt(rig: Rig, at: number, held = false): Promise<string> {
  const key = footageKey(rig.box.node, CAMERA, instant(at), ID);
  return rig.vault.put(key, textBody("beeld"), { ...FREELY, held }, NEVER).then(() => key);
}

const WELL = {
  objects: 1,
  orphans: 0,
  missing: 0,
  wrongSize: 0,
  versions: 0,
  markers: 0,
  unfinished: 0,
  unheld: 0,
  breaches: 0,
};

describe("the weekly sweep of the vault (invariants 3, 4, 6)", () => {
  it("of a vault that is well says so, and comes again after a week, whatever restarts there are", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    await trusted(rig);
    await sweep(rig);
    await sweep(rig, 5);
    assert.deepEqual(await told(rig, "vault.swept"), [WELL]);
    await sweep(rig, 7 * 24);
    assert.equal((await told(rig, "vault.swept")).length, 2);
  });

  it("reports orphans and what is missing, cut, doubled or held by nobody, and deletes none of it", async () => {
    await using rig = await openRig();
    const [gone, cut, held] = [
      await rig.keep("een", named(0)),
      await rig.keep("twee", named(5)),
      await rig.keep("drie", named(10)),
    ];
    await trusted(rig);
    await rm(join(rig.folder, "vault", `${await keyOf(rig, gone)}~`), { recursive: true });
    await truncate(await bodyOf(rig, await keyOf(rig, cut)), 10);
    const [version] = await rig.vault.versions(await keyOf(rig, held));
    await rig.vault.setHold(await keyOf(rig, held), version?.versionId ?? "", true);
    const orphan = await orphanAt(rig, START);
    await sweep(rig);
    const counts = { ...WELL, objects: 3, orphans: 1, missing: 1, wrongSize: 1, unheld: 1 };
    assert.deepEqual(await told(rig, "vault.swept"), [counts]);
    assert.equal(rig.said.filter((event) => event === "sweep-found").length, 4);
    assert.equal((await rig.vault.versions(orphan)).length, 1);
    assert.equal((await rig.vault.versions(await keyOf(rig, held))).length, 1);
  });

  it("tells of an unfinished write once it is a day old", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const unfinished = async () => [footageKey(rig.box.node, CAMERA, START, ID)];
    const vault = { ...rig.vault, unfinished };
    await sweep(rig, 1, vault);
    await sweep(rig, 8 * 24, vault);
    const counts = await told(rig, "vault.swept");
    assert.deepEqual(
      counts.map((one) => one["unfinished"]),
      [0, 1],
    );
  });

  it("finds what is older than 28 days and held by nobody, once, with the moment of its discovery (AVG 33)", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const key = await orphanAt(rig, START - 29 * DAY_MS);
    await sweep(rig);
    await sweep(rig, 15 * 24);
    const [breach, ...more] = await told(rig, "breach.overdue");
    assert.deepEqual(more, []);
    assert.deepEqual(breach, {
      what: key,
      place: "vault",
      since: new Date(START - DAY_MS).toISOString(),
      discoveredAt: new Date(START).toISOString(),
    });
    assert.equal(rig.said.filter((event) => event === "breach").length, 1);
  });

  it("calls no breach what has no time in its key, as `bewaard check --vault` leaves it in a locked bucket", async () => {
    await using rig = await openRig();
    await trusted(rig);
    await rig.vault.put("footage/dock-1/check/67b94190/put", textBody("a probe"), FREELY, NEVER);
    await sweep(rig);
    const [seen] = await told(rig, "vault.swept");
    assert.partialDeepStrictEqual(seen, { orphans: 1, breaches: 0 });
    assert.deepEqual(await told(rig, "breach.overdue"), []);
  });

  it("tells nothing of what is held, nor while time is not trusted", async () => {
    await using rig = await openRig();
    await orphanAt(rig, START - 29 * DAY_MS, true);
    await sweep(rig);
    assert.deepEqual(await told(rig, "vault.swept"), []);
    await trusted(rig);
    await sweep(rig);
    assert.deepEqual(await told(rig, "breach.overdue"), []);
    assert.equal((await told(rig, "vault.swept"))[0]?.["unheld"], 1);
  });

  it("does not call missing, or an orphan, what comes or goes while it lists", async () => {
    await using rig = await openRig();
    await rig.keep("een", named(0));
    await trusted(rig);
    const late: Vault = {
      ...rig.vault,
      async *list(prefix, signal) {
        yield* rig.vault.list(prefix, signal);
        // Gone again by the time that it is looked at.
        yield {
          key: footageKey(rig.box.node, CAMERA, instant(START + 1000), ID),
          versionId: "x",
          bytes: 1,
        };
        // Stored after the rows were read, and listed all the same.
        const id = await rig.keep("twee", named(300));
        yield { key: await keyOf(rig, id), versionId: "x", bytes: 1 };
      },
    };
    await sweep(rig, 1, late);
    const [counts] = await told(rig, "vault.swept");
    assert.deepEqual(counts, { ...WELL, objects: 3 });
  });
});

describe("footage older than its term, anywhere on the box (invariant 3)", () => {
  it("is a breach in ledger and journal, once, whether it has a row or not, and is counted daily while it lasts", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.keep("beeld");
    const stray = `${ID}.age`;
    await writeFile(join(rig.folder, "spool/incoming/dock", stray), "age-encryption.org/v1\n");
    // The id's own moment is in 2024.
    rig.clock.move(29 * DAY_MS);
    await look(rig);
    await look(rig, 49);
    const found = (await told(rig, "breach.overdue")).map(({ what, place }) => [what, place]);
    assert.deepEqual(found, [
      [id, "spool"],
      [`incoming/dock/${stray}`, "incoming"],
    ]);
    assert.equal(rig.said.filter((event) => event === "breach").length, 2);
    const alarm = breachesLast(rig.clock, rig.events, rig.database);
    const alarms = () => rig.said.filter((event) => event.startsWith("breaches-last"));
    for (let day = 0; day < 3; day += 1) {
      await lookForAlarms(rig, [alarm], 10);
      rig.clock.move(DAY_MS);
    }
    assert.equal(alarms().length, 3);
    // Who does not know what time it is does not know what is old.
    rig.clock.restart();
    await lookForAlarms(rig, [alarm], 10);
    await trusted(rig);
    assert.equal(alarms().length, 3);
    await rm(join(rig.folder, "spool/incoming/dock", stray));
    await rm(join(rig.folder, "spool/segments"), { recursive: true });
    await mkdir(join(rig.folder, "spool/segments"));
    for (const change of [
      "update segment set state = 'destroying'",
      "update copy set state = 'gone'",
      "update segment set state = 'destroyed'",
    ])
      await rig.database.transaction((sql) => sql.run(change));
    await look(rig);
    await lookForAlarms(rig, [alarm], 10);
    assert.deepEqual(alarms().slice(3), ["breaches-last-over"]);
  });

  it("is none while held, and ends when it is gone", async () => {
    await using rig = await openRig();
    await trusted(rig);
    await look(rig);
    assert.deepEqual(await told(rig, "breach.overdue"), []);
    const path = join(rig.folder, "spool/incoming/dock", `${ID}.age`);
    await writeFile(path, "age-encryption.org/v1\n");
    await look(rig);
    await rm(path);
    await look(rig);
    const open = await rig.database.transaction((sql) =>
      sql.all("select what from breach where ended_at_ms is null"),
    );
    assert.deepEqual(open, []);
  });
});
