import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { DAY_MS } from "#base/time";
import { readConfiguration } from "../config/configuration.ts";
import { acceptConfiguration } from "../daemon/accept-configuration.ts";
import { readFact } from "../storage/catalog/facts.ts";
import { commitmentTo } from "../storage/ledger/append.ts";
import { GOOD_ANNEX, GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { openRig, type Rig, START } from "./fakes/rig.ts";

const change = z.object({ path: z.string(), was: z.json().optional(), is: z.json().optional() });
const entry = z.object({
  changes: z.array(change),
  more: z.int(),
  sha256: z.string(),
  ownRegime: z.boolean(),
  approval: z.object({ reference: z.string(), date: z.string(), by: z.string() }).nullable(),
  detail: z.string().optional(),
});

const BOX = { ...GOOD_BOX, informed_on: "2026-05-01" };
const SHIPPED = new URL("../config/policies/arnhem.yaml", import.meta.url);
const APPROVAL = { reference: "OR-2026-017", date: "2026-05-20", by: "ondernemingsraad" };

/** Starts with this configuration; returns the code it was refused with, or an empty text. */
async function start(rig: Rig, box: object, policy?: string): Promise<string> {
  const own = join(rig.folder, "policy.yaml");
  const others = policy === undefined ? {} : { "policy.yaml": policy };
  const path = await writtenIn(
    rig.folder,
    policy === undefined ? box : { ...box, policy: own },
    others,
  );
  const { config, rules } = await readConfiguration(path);
  try {
    await acceptConfiguration(rig.clock, rig.events, rig.database, config, rules);
    return "";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

async function entries(rig: Rig): Promise<readonly z.output<typeof entry>[]> {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind = 'config.changed' order by seq"),
  );
  return rows.map(({ body }) => entry.parse(JSON.parse(String(body))));
}

describe("a change of the configuration (AR-43)", () => {
  it("is recorded whole by its hash the first time, and not again while nothing changes", async () => {
    await using rig = await openRig();
    assert.equal(await start(rig, BOX), "");
    assert.equal(await start(rig, { ...BOX, bodycams: BOX.bodycams.toReversed() }), "");
    const [first, ...rest] = await entries(rig);
    assert.deepEqual(rest, []);
    assert.deepEqual(first?.changes, []);
    assert.match(first?.sha256 ?? "", /^[0-9a-f]{64}$/);
    assert.deepEqual(rig.said, ["config-changed"]);
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("is a ledger entry with what was and what is", async () => {
    await using rig = await openRig();
    await start(rig, BOX);
    await start(rig, {
      ...BOX,
      spool: { ...BOX.spool, limit: "300 GB" },
      bodycams: BOX.bodycams.slice(1),
    });
    const [, second] = await entries(rig);
    assert.deepEqual(second?.changes, [
      { path: "box.bodycams[bc-0101].number", was: "bc-0101" },
      { path: "box.bodycams[bc-0101].paired", was: "2026-11-01" },
      { path: "box.bodycams[bc-0101].profile", was: "generic-dcim" },
      { path: "box.spool.limit", was: "400 GB", is: "300 GB" },
    ]);
  });

  it("of purposes, retention, sound or covert use is refused without consent, and says what to write", async () => {
    await using rig = await openRig();
    const shipped = await readFile(SHIPPED, "utf8");
    assert.equal(await start(rig, BOX, shipped), "");
    for (const [from, to, what] of [
      ["retention: 28 days", "retention: 20 days", "policy.retention"],
      ["  - toegangsbewaking\n", "", "policy.purposes"],
      ["stadhuis, room: spreekkamer", "stadhuis, room: hal", "policy.sound"],
      [/^covert: .*$/m, "", "policy.covert"],
      ["keeps: [video]", "keeps: [video, audio]", "policy.keeps"],
    ] as const) {
      const said = await start(rig, BOX, shipped.replace(from, to));
      assert.match(said, new RegExp(`^CONFIG_UNAPPROVED a change of ${what} needs consent`));
      assert.match(said, /write approval: \{ reference: …, date: …, by: ondernemingsraad \}/);
    }
    assert.equal((await entries(rig)).length, 1);
    assert.equal(
      await start(rig, BOX, shipped.replace("review_within: 90", "review_within: 60")),
      "",
    );
  });

  it("that has consent is recorded with its reference, which serves once", async () => {
    await using rig = await openRig();
    const shipped = await readFile(SHIPPED, "utf8");
    await start(rig, BOX, shipped);
    const shorter = shipped.replace("retention: 28 days", "retention: 20 days");
    for (const [wrong, why] of [
      [{ ...APPROVAL, by: "directeur" }, /is by directeur/],
      [{ ...APPROVAL, date: "2026-07-01" }, /of 2026-07-01, still to come/],
    ] as const) {
      assert.match(await start(rig, { ...BOX, approval: wrong }, shorter), why);
    }
    assert.equal(await start(rig, { ...BOX, approval: APPROVAL }, shorter), "");
    const approved = (await entries(rig)).at(-1);
    assert.deepEqual(approved?.approval, { ...APPROVAL, date: "2026-05-20T00:00:00.000Z" });
    assert.deepEqual(approved?.changes, [
      { path: "policy.retention", was: "28 days", is: "20 days" },
    ]);
    const again = await start(rig, { ...BOX, approval: APPROVAL }, shipped);
    assert.match(again, /^CONFIG_UNAPPROVED .*OR-2026-017 has served for a change before/);
  });

  it("of who must consent needs the consent of who had to until now", async () => {
    await using rig = await openRig();
    const shipped = await readFile(SHIPPED, "utf8");
    await start(rig, BOX, shipped);
    const other = shipped.replace("approved_by: ondernemingsraad", "approved_by: beheer");
    const shorter = other.replace("retention: 28 days", "retention: 20 days");
    const own = { ...BOX, approval: { ...APPROVAL, by: "beheer" } };
    for (const policy of [other, shorter]) {
      assert.match(await start(rig, own, policy), /^CONFIG_UNAPPROVED .*by: ondernemingsraad \}/);
    }
    assert.equal(await start(rig, { ...BOX, approval: APPROVAL }, shorter), "");
  });

  it("of an annex is one of the policy as it leaves it", async () => {
    await using rig = await openRig();
    await start(rig, BOX);
    const annex = join(rig.folder, "annex.yaml");
    await writtenIn(rig.folder, BOX, { "annex.yaml": GOOD_ANNEX });
    assert.match(
      await start(rig, { ...BOX, annex }),
      /policy.purposes, policy.retention, policy.sound/,
    );
  });

  it("never names a manager or a folder in the entry; they are its detail, with a term of its own", async () => {
    await using rig = await openRig();
    const shipped = await readFile(SHIPPED, "utf8");
    await start(rig, BOX, shipped);
    await start(
      rig,
      { ...BOX, state: "/home/jansen/state" },
      shipped.replace("clustermanager-openbare-ruimte", "jansen"),
    );
    const rows = await rig.database.transaction((sql) =>
      sql.all(
        "select entry.body, salt, detail.body as detail, erase_after_ms from entry join detail on entry_seq = seq",
      ),
    );
    const last = rows.at(-1);
    assert.ok(!rows.some(({ body }) => String(body).includes("jansen")));
    assert.match(String(last?.["detail"]), /"is":"jansen".*"was":"clustermanager-openbare-ruimte"/);
    assert.match(String(last?.["detail"]), /\/home\/jansen/);
    assert.equal(Number(last?.["erase_after_ms"]), START + 1825 * DAY_MS);
    const salt = last?.["salt"];
    assert.ok(salt instanceof Uint8Array);
    assert.equal((await entries(rig)).at(-1)?.detail, commitmentTo(salt, String(last?.["detail"])));
  });

  it("is bounded: of a thousand cameras the entry shows two hundred changes and counts the rest", async () => {
    await using rig = await openRig();
    await start(rig, BOX);
    const cameras = Array.from({ length: 1000 }, (_, index) => {
      const number = `bc-${1000 + index}`;
      return {
        number,
        folder: `/srv/dock/${number}`,
        profile: "generic-dcim",
        paired: "2026-05-01",
      };
    });
    await start(rig, { ...BOX, bodycams: cameras });
    const [, second] = await entries(rig);
    assert.equal(second?.changes.length, 200);
    assert.equal(second?.more, 3 * 1002 - 200);
  });

  it("and its ledger entry come together or not at all (invariant 5)", async () => {
    await using rig = await openRig();
    await rig.database.transaction((sql) =>
      sql.run(
        "create trigger no_more before insert on entry begin select raise(abort, 'full'); end",
      ),
    );
    assert.match(await start(rig, BOX), /^CATALOG_RULE/);
    assert.equal(await rig.database.transaction((sql) => readFact(sql, "config")), undefined);
  });
});

describe("a policy at its first start (AR-11)", () => {
  it("is refused before its first day, and while nothing says when employees were informed", async () => {
    await using rig = await openRig();
    const { informed_on: _, ...silent } = BOX;
    assert.match(
      await start(rig, silent),
      /^POLICY_NOT_IN_FORCE nothing says when employees were informed/,
    );
    assert.match(
      await start(rig, { ...BOX, informed_on: "2026-06-02" }),
      /holds from 2026-06-02, and this box's clock says 2026-06-01/,
    );
    const shipped = await readFile(SHIPPED, "utf8");
    assert.match(
      await start(rig, BOX, `${shipped}in_force_from: 2026-04-01\n`),
      /informed on 2026-05-01, after its first day 2026-04-01/,
    );
    assert.deepEqual(await entries(rig), []);
    assert.equal(
      await start(rig, silent, `${shipped}informed_on: 2026-04-01\nin_force_from: 2026-05-01\n`),
      "",
    );
  });

  it("that has held goes on holding under a clock that is wrong: a box never stops for that", async () => {
    await using rig = await openRig();
    await start(rig, BOX);
    rig.clock.jump(-400 * DAY_MS);
    assert.equal(await start(rig, BOX), "");
  });

  it("needs no such date on a demo site, which holds no real footage", async () => {
    await using rig = await openRig();
    const { informed_on: _, ...silent } = BOX;
    assert.equal(await start(rig, { ...silent, site: { name: "demo", demo: true } }), "");
  });
});
