import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { parseNodeId } from "#base/ids";
import { STEPS } from "#base/step";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import { shownRebuild } from "../daemon/cli/shown-rebuild.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { catalogPath, vaultFolder } from "../daemon/places.ts";
import { type Known, type RebuildReport, rebuildBox } from "../daemon/rebuild.ts";
import { setupBox } from "../daemon/setup.ts";
import { verifyBox } from "../daemon/verify.ts";
import { waitsForConsistency } from "../storage/catalog/rebuilt.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { forgetHeads, type LostBox, type LostBoxes, openLostBoxes } from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";
import { assertSameAfter, assertSameRows, rowsOf } from "./fakes/same-as-lost.ts";
import { whileRunning } from "./fakes/site.ts";

const NOTHING_KNOWN: Known = { verifier: undefined, atLeast: 0 };
const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));
const HOOK = new URL("./crash/hook.ts", import.meta.url).href;

function rebuild(box: LostBox, known: Partial<Known> = {}): Promise<RebuildReport> {
  return rebuildBox(box.site.clock, box.config, { ...NOTHING_KNOWN, ...known }, NEVER);
}

async function statesOf(box: LostBox): Promise<Readonly<Record<string, unknown>>> {
  const rows = await rowsOf(catalogPath(box.config), "select id, state from segment");
  const states = new Map(rows.map((row) => [row["id"], row["state"]]));
  return Object.fromEntries(Object.entries(box.ids).map(([fate, id]) => [fate, states.get(id)]));
}

describe("a lost box", function () {
  this.timeout(180_000);
  let boxes: LostBoxes;
  before(async () => {
    boxes = await openLostBoxes();
  });
  after(() => boxes[Symbol.asyncDispose]());

  describe("its catalog made again from the vault", () => {
    it("has every row of the lost one, but for what nobody could know (invariants 5, 6)", async () => {
      const box = await boxes.again();
      const { signed, lost, adopted, missing } = await rebuild(box);
      assert.deepEqual({ lost, adopted, missing }, { lost: 1, adopted: 1, missing: 0 });
      await assertSameRows(box, signed);
      await assertSameAfter(box, signed);
    });

    it("leaves each segment where it was; what was in the lost spool only is a gap, and verify is clean", async () => {
      const box = await boxes.again();
      const report = await rebuild(box);
      assert.deepEqual(await statesOf(box), {
        truncated: "stored",
        destroyed: "destroyed",
        evicted: "stored",
        stored: "stored",
        held: "stored",
        released: "stored",
        spoolOnly: "destroying",
        afterTheHead: "stored",
      });
      const gaps = await rowsOf(catalogPath(box.config), "select id, cause from gap order by id");
      assert.deepEqual(gaps.at(-1), { id: box.ids["spoolOnly"], cause: "box-lost" });
      const { clock } = box.site;
      const { findings } = await verifyBox(clock, box.config, "hashes", () => undefined, NEVER);
      assert.deepEqual(findings, []);
      assert.match(shownRebuild(report), /1 VERLOREN met de kast/);
      const [entry] = await rowsOf(
        catalogPath(box.config),
        "select body from entry where kind = 'catalog.rebuilt'",
      );
      assert.match(String(entry?.["body"]), /"lost":1.*"signed":\d+.*"signer":"bewaard/);
    });

    it("lives on: the held stays, the rest is destroyed in time, and no file on a card is taken twice (invariants 3, 4)", async () => {
      const box = await boxes.again();
      const { site } = box;
      await rebuild(box);
      const said = await whileRunning(
        site,
        async (ask, signal) => {
          const found = async () =>
            (await ask("find", { device: null, fromMs: 0, toMs: 4e12 })).segments;
          // The card still has the file that was lost: it is taken anew, and nothing else is.
          const stored = async () =>
            (await found()).filter(({ state }) => state === "stored").length === 7;
          assert.ok(await passUntil(site.clock, MINUTE_MS, 6 * HOUR_MS, stored, signal));
          assert.equal((await found()).length, 9);
          assert.equal((await ask("status", {})).history, "one");
          await site.clock.pass(27 * DAY_MS, signal);
          const gone = async () => {
            const { states } = await ask("status", {});
            return states["destroyed"] === 8 && states["stored"] === 1;
          };
          assert.ok(await passUntil(site.clock, 5 * MINUTE_MS, 2 * DAY_MS, gone, signal));
          const { findings } = await ask("verify", { depth: "hashes" });
          assert.deepEqual(findings, []);
        },
        box.config,
      );
      assert.equal((await statesOf(box))["held"], "stored");
      assert.ok(said.includes("duplicate"));
    });

    it("destroys nothing, however late, before the desk's chain was read to its end (invariant 4)", async () => {
      const box = await boxes.again();
      const { site, config } = box;
      await rebuild(box);
      const chain = join(vaultFolder(config.vault), "desk/entry");
      await rename(chain, `${chain}.away`);
      const destroyed = async (ask: Parameters<Parameters<typeof whileRunning>[1]>[0]) =>
        (await ask("status", {})).states["destroyed"] ?? 0;
      await whileRunning(
        site,
        async (ask, signal, said) => {
          await site.clock.pass(29 * DAY_MS, signal);
          const waits = async () => said.includes("rebuilt-waits");
          assert.ok(await passUntil(site.clock, HOUR_MS, DAY_MS, waits, signal));
          assert.equal(await destroyed(ask), 1);
          await rename(`${chain}.away`, chain);
          const gone = async () => (await destroyed(ask)) >= 6;
          assert.ok(await passUntil(site.clock, MINUTE_MS, 3 * HOUR_MS, gone, signal));
        },
        config,
      );
      await using database = await openDatabase(catalogPath(config));
      assert.equal(await waitsForConsistency(database), false);
    });
  });

  describe("rebuild --from-vault", () => {
    it("is for a box without a catalog only", async () => {
      const box = await boxes.again();
      await rebuild(box);
      await assert.rejects(rebuild(box), { code: "CATALOG_EXISTS" });
    });

    it("is refused where the log of another catalog lies there: it would be read into the new one", async () => {
      const box = await boxes.again();
      for (const end of ["-wal", "-shm"]) {
        const log = `${catalogPath(box.config)}${end}`;
        await writeFile(log, "of another");
        const refused = { code: "CATALOG_EXISTS", message: new RegExp(`${end} is there`) };
        await assert.rejects(rebuild(box), refused);
        await rm(log);
      }
      await rebuild(box);
    });

    it("that is refused leaves nothing of what it had made", async () => {
      const box = await boxes.again();
      const was = await readdir(box.config.state);
      await assert.rejects(rebuild(box, { atLeast: 10_000 }), { code: "LEDGER_BROKEN" });
      assert.deepEqual(await readdir(box.config.state), was);
    });

    it("refuses a ledger in which an entry was changed, or taken out", async () => {
      const box = await boxes.again();
      const entries = join(vaultFolder(box.config.vault), "ledger/dock-1/entries");
      const [first = "", second = ""] = (await readdir(entries)).toSorted();
      const [version = ""] = await readdir(join(entries, first));
      const body = join(entries, first, version, "body");
      const text = await readFile(body, "utf8");
      await rm(body);
      await writeFile(body, text.replace(/"bootId":"[^"]+"/, '"bootId":"another"'));
      await assert.rejects(rebuild(box), { code: "LEDGER_BROKEN" });
      await rm(body);
      await writeFile(body, text);
      await rm(join(entries, second), { recursive: true });
      await assert.rejects(rebuild(box), { code: "LEDGER_BROKEN" });
    });

    it("refuses rows that are not those of their entry", async () => {
      const box = await boxes.again();
      const rows = join(vaultFolder(box.config.vault), "ledger/dock-1/rows");
      const [first = ""] = (await readdir(rows)).toSorted();
      const [version = ""] = await readdir(join(rows, first));
      const body = join(rows, first, version, "body");
      const text = await readFile(body, "utf8");
      await rm(body);
      await writeFile(body, text.replace("01K", "02K"));
      await assert.rejects(rebuild(box), { code: "LEDGER_BROKEN" });
    });

    it("refuses another node's ledger, and a head that is older than somebody knows", async () => {
      const box = await boxes.again();
      const stranger = { ...box, config: { ...box.config, node: parseNodeId("dock-2") } };
      await assert.rejects(rebuild(stranger), { code: "SPOOL_IDENTITY" });
      await assert.rejects(rebuild(box, { atLeast: 10_000 }), { code: "LEDGER_BROKEN" });
      assert.ok((await rebuild(box, { atLeast: 10 })).signed >= 10);
    });

    it("goes by the key of the lost box where this one has a new one, and verify still is clean", async () => {
      const box = await boxes.again();
      const { config, site } = box;
      const former = await setupBox(config);
      await rm(join(config.state, "node.key"));
      await setupBox(config);
      await assert.rejects(rebuild(box), { code: "LEDGER_BROKEN" });
      await rebuild(box, { verifier: former });
      await whileRunning(
        site,
        async (ask, signal) => {
          const one = async () => (await ask("status", {})).history === "one";
          assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, one, signal));
          assert.deepEqual((await ask("verify", { depth: "sizes" })).findings, []);
        },
        config,
      );
    });

    it("does not believe what an unsigned entry says was destroyed, and keeps what it says was sealed", async () => {
      const box = await boxes.again();
      // Set back by a head or more: what they covered is there, unsigned.
      await forgetHeads(box.config, box.signedBefore);
      const report = await rebuild(box);
      assert.ok(report.entries > report.signed);
      const { destroyed, held } = await statesOf(box);
      assert.deepEqual({ destroyed, held }, { destroyed: "stored", held: "stored" });
      assert.equal(report.missing, 1);
      const { clock } = box.site;
      const { findings } = await verifyBox(clock, box.config, "hashes", () => undefined, NEVER);
      const what = `${box.ids["destroyed"]} is not in the vault`;
      assert.deepEqual(findings, [{ invariant: 6, what }]);
    });

    it("killed at any step begins anew and ends the same (invariant 8)", async () => {
      const box = await boxes.again();
      const yaml = join(box.site.folder, "bewaard.yaml");
      for (const at of STEPS.filter((step) => step.startsWith("rebuild."))) {
        const args = ["--import", HOOK, CLI, "-c", yaml, "rebuild", "--from-vault"];
        const child = spawn(process.execPath, args, {
          env: { ...process.env, CRASH_AT: at },
          stdio: "ignore",
        });
        await once(child, "close");
        assert.equal(child.signalCode, "SIGKILL", at);
      }
      // The last one came after the catalog had its name: nothing is left to do.
      await assert.rejects(rebuild(box), { code: "CATALOG_EXISTS" });
      const { findings } = await verifyBox(
        box.site.clock,
        box.config,
        "hashes",
        () => undefined,
        NEVER,
      );
      // Made by the clock of this machine, months later: the entries of then are ahead of the site's clock.
      assert.deepEqual(
        findings.filter(({ invariant }) => invariant !== 10),
        [],
      );
    });

    it("tells people in Dutch and English, and programs in JSON", async () => {
      const box = await boxes.again();
      const yaml = join(box.site.folder, "bewaard.yaml");
      const out = execFileSync(process.execPath, [
        CLI,
        "-c",
        yaml,
        "--json",
        "rebuild",
        "--from-vault",
      ]);
      const report: unknown = JSON.parse(String(out));
      assert.ok(typeof report === "object" && report !== null && "signed" in report);
    });
  });
});
