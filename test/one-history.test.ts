import assert from "node:assert/strict";
import { copyFile, cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "#base/time";
import { checkpoint } from "../daemon/checkpoint.ts";
import type { Ask } from "../daemon/control/client.ts";
import { recordClip } from "../daemon/demo/clips.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { historyOf } from "../daemon/one-history.ts";
import { catalogPath, vaultFolder } from "../daemon/places.ts";
import { confirmTime } from "../daemon/trust.ts";
import { append } from "../storage/ledger/append.ts";
import {
  type NodeKey,
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  signNote,
  verifierText,
} from "../storage/ledger/note.ts";
import { rootAt } from "../storage/ledger/prove.ts";
import { textBody } from "../storage/vault/body.ts";
import { checkpointKey, checkpointPrefix } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { turns } from "./fakes/turns.ts";

async function checkpointsIn(vault: string): Promise<readonly string[]> {
  return (await readdir(join(vault, "ledger/dock-1/checkpoint"))).toSorted();
}

/** Lets time pass until the vault has a checkpoint over more than `size` entries; returns over how many. */
async function publishedAfter(
  site: Site,
  ask: Ask,
  size: number,
  signal: AbortSignal,
): Promise<number> {
  const newest = async () => (await ask("ledger.head", {})).checkpoint?.size ?? 0;
  const more = async (): Promise<boolean> => (await newest()) > size;
  assert.ok(await passUntil(site.clock, 5 * MINUTE_MS, 2 * HOUR_MS, more, signal));
  return newest();
}

/** Lets `hours` pass on a running site; returns the states of what it keeps. */
async function pass(site: Site, ask: Ask, hours: number, signal: AbortSignal) {
  for (let done = 0; done < hours; done += 6) await site.clock.pass(6 * HOUR_MS, signal);
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  return segments.map(({ state }) => state);
}

async function storeClip(site: Site, ask: Ask, signal: AbortSignal): Promise<void> {
  const startedAt = instant(site.clock.now() - HOUR_MS);
  await recordClip(site.demo.docks["bc-0101"] ?? "", startedAt, 440);
  const stored = async () => (await pass(site, ask, 0, signal)).includes("stored");
  assert.ok(await passUntil(site.clock, 5000, 10 * MINUTE_MS, stored, signal));
}

/** A site that has stored a clip and published, its catalog set back to before the last thing it published. */
async function rolledBack(site: Site): Promise<void> {
  const path = catalogPath(site.demo.config);
  let size = 0;
  await whileRunning(site, async (ask, signal) => {
    await storeClip(site, ask, signal);
    size = await publishedAfter(site, ask, 0, signal);
  });
  await copyFile(path, `${path}.copy`);
  const vault = vaultFolder(site.demo.config.vault);
  await cp(vault, `${vault}.copy`, { recursive: true });
  await whileRunning(
    site,
    async (ask, signal) => void (await publishedAfter(site, ask, size, signal)),
  );
  // What starts again at that very moment would write the same.
  await site.clock.pass(MINUTE_MS, NEVER);
  for (const name of ["-wal", "-shm"]) await rm(`${path}${name}`, { force: true });
  await copyFile(`${path}.copy`, path);
}

describe("a catalog that was set back to an earlier state", function () {
  this.timeout(120_000);

  it("destroys nothing and signs nothing, says so at once and daily, until the right one is back", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const path = catalogPath(site.demo.config);
    await rolledBack(site);
    const before = await checkpointsIn(vaultFolder(site.demo.config.vault));
    const said = await whileRunning(site, async (ask, signal) => {
      assert.deepEqual(await pass(site, ask, 29 * 24, signal), ["stored"]);
      assert.equal((await ask("status", {})).history, "diverged");
      const { findings } = await ask("ledger.verify", {});
      assert.match(findings.map(({ what }) => what).join(), /newest checkpoint/);
    });
    const alarms = said.filter((event) => event === "ledger-diverged").length;
    assert.ok(alarms >= 28 && alarms <= 31, `${alarms} alarms`);
    assert.deepEqual(await checkpointsIn(vaultFolder(site.demo.config.vault)), before);
    assert.ok(!said.includes("destroyed") && !said.includes("checkpoint"));
    assert.equal(await stateOfRightCatalog(site, path), "destroyed");
  });
});

/** The same site with a vault as it was when its catalog was copied: the two belong together again. */
async function stateOfRightCatalog(site: Site, path: string): Promise<string> {
  const vault = vaultFolder(site.demo.config.vault);
  await rm(join(vault, "ledger"), { recursive: true });
  await cp(`${vault}.copy/ledger`, join(vault, "ledger"), { recursive: true });
  await copyFile(`${path}.copy`, path);
  let state = "";
  await whileRunning(site, async (ask, signal) => {
    const destroyed = async () => {
      [state = ""] = await pass(site, ask, 0, signal);
      return state === "destroyed";
    };
    await passUntil(site.clock, HOUR_MS, DAY_MS, destroyed, signal);
    assert.equal((await ask("status", {})).history, "one");
  });
  return state;
}

/** One turn of each loop that asks, on a rig whose footage is due; whether it was destroyed and signed. */
async function oneTurn(rig: Rig, vault: Vault = rig.vault, key: NodeKey = rig.key) {
  const { events, database, box } = rig;
  const verifier = parseVerifier(verifierText(key));
  const askHistory = historyOf(rig.clock, events, database, vault, box.node, verifier);
  const published = async () => (await checkpointsIn(join(rig.folder, "vault"))).length;
  const before = await published();
  const signing = turns(rig.clock, 1);
  await checkpoint(
    signing.clock,
    events,
    database,
    vault,
    box.node,
    key,
    askHistory,
    signing.signal,
  );
  await retainOnce({ ...rig, vault, askHistory });
  const [row] = await database.transaction((sql) => sql.all("select state from segment"));
  return {
    destroyed: row?.["state"] === "destroyed",
    signed: (await published()) > before,
    history: await askHistory(NEVER),
  };
}

/** A rig with one published checkpoint and footage that has just become due, plus `lateMs`. */
async function dueRig(lateMs = 0): Promise<Rig> {
  const rig = await openRig();
  await rig.keep("beeld");
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
  rig.clock.move(28 * DAY_MS - HOUR_MS + lateMs);
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  return rig;
}

/** What somebody else puts into the vault as this box's newest checkpoint. */
async function put(rig: Rig, size: number, note: string): Promise<void> {
  await rig.vault.put(checkpointKey(rig.box.node, size), textBody(note), FREELY, NEVER);
}

async function sizeOf(rig: Rig): Promise<number> {
  const rows = await rig.database.transaction((sql) => sql.all("select seq from entry"));
  return rows.length;
}

function noteOf(key: NodeKey, size: number, root: Buffer): string {
  return signNote(key, `${key.name}\n${size}\n${root.toString("base64")}\n`);
}

describe("the vault's newest checkpoint", () => {
  it("that is a head of the ledger here lets everything go on", async () => {
    await using rig = await dueRig();
    assert.deepEqual(await oneTurn(rig), { destroyed: true, signed: true, history: "one" });
    assert.ok(!rig.said.includes("ledger-diverged"));
  });

  it("that is gone leaves an older one, which still is the beginning; verify reports it", async () => {
    await using rig = await dueRig();
    await oneTurn(rig);
    await rig.database.transaction((sql) =>
      append(sql, rig.clock.now(), [{ kind: "gap.recorded", facts: {} }]),
    );
    const versions = await Array.fromAsync(rig.vault.list(checkpointPrefix(rig.box.node), NEVER));
    const newest = versions.at(-1);
    await rig.vault.destroy(newest?.key ?? "", newest?.versionId ?? "");
    assert.deepEqual(await oneTurn(rig), { destroyed: true, signed: true, history: "one" });
    const findings = await rig.check("sizes");
    assert.match(findings.map(({ what }) => what).join(), /no checkpoint of \d+ entries any more/);
  });

  for (const [what, noteFor] of Object.entries<(rig: Rig, size: number, root: Buffer) => string>({
    "signed by another key": (rig, size, root) =>
      noteOf(parseNodeKey(rig.key.name, newNodeKeyPem()), size, root),
    "with another root": (rig, size) => noteOf(rig.key, size, Buffer.alloc(32)),
    "of another size than its name": (rig, size, root) => noteOf(rig.key, size - 1, root),
    "that is garbage": () => "checkpoint\n",
  })) {
    it(`${what} stops destroying and signing, with an alarm`, async () => {
      await using rig = await dueRig();
      const size = await sizeOf(rig);
      await put(
        rig,
        size,
        noteFor(rig, size, await rig.database.transaction((sql) => rootAt(sql, size))),
      );
      const turn = await oneTurn(rig);
      assert.deepEqual(turn, { destroyed: false, signed: false, history: "diverged" });
      assert.equal(rig.said.filter((event) => event === "ledger-diverged").length, 1);
    });
  }

  it("that is larger than the ledger here stops destroying and signing, with an alarm", async () => {
    await using rig = await dueRig();
    await put(rig, 1000, noteOf(rig.key, 1000, Buffer.alloc(32)));
    assert.equal((await oneTurn(rig)).history, "diverged");
    assert.match(rig.lines.join(""), /LEDGER_DIVERGED.*has 1000 entries, this box/);
  });

  it("that this catalog signed with a key since replaced is its own", async () => {
    await using rig = await dueRig();
    const turn = await oneTurn(rig, rig.vault, parseNodeKey(rig.key.name, newNodeKeyPem()));
    assert.deepEqual(turn, { destroyed: true, signed: true, history: "one" });
  });

  for (const [what, lateMs, destroyed] of [
    ["is waited for while the law allows", 0, false],
    ["is not waited for past ten minutes before the end of the term", 50 * MINUTE_MS, true],
  ] as const) {
    it(`that cannot be read ${what}; nothing is signed meanwhile`, async () => {
      await using rig = await dueRig(lateMs);
      const away: Vault = {
        ...rig.vault,
        // oxlint-disable-next-line require-yield -- a vault that does not answer
        async *list() {
          throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
        },
      };
      const turn = await oneTurn(rig, away);
      assert.deepEqual(turn, { destroyed, signed: false, history: "unknown" });
      assert.ok(rig.said.includes("checkpoint-delayed"));
    });
  }

  it("is looked for again each minute until it is known, and then no more", async () => {
    await using rig = await dueRig();
    let listed = 0;
    let away = true;
    const vault: Vault = {
      ...rig.vault,
      async *list(prefix, signal) {
        listed += 1;
        if (away) throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
        yield* rig.vault.list(prefix, signal);
      },
    };
    const verifier = parseVerifier(verifierText(rig.key));
    const { clock, events, database, box } = rig;
    const ask = historyOf(clock, events, database, vault, box.node, verifier);
    assert.equal(await ask(NEVER), "unknown");
    away = false;
    assert.deepEqual(await Promise.all([ask(NEVER), ask(NEVER)]), ["one", "one"]);
    assert.equal(await ask(NEVER), "one");
    assert.equal(listed, 2);
  });
});
