import assert from "node:assert/strict";
import { cp, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant } from "#base/time";
import { sweepVault } from "../daemon/sweep-vault.ts";
import { confirmTime } from "../daemon/trust.ts";
import { textBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { openDisk, rowsOf, unplug } from "./fakes/medium.ts";
import { CAMERA, NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const ID = parseSegmentId("01J00000000000000000000001");

async function sweep(rig: Rig, hours = 1, vault = rig.vault, medium?: Vault): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  const { clock, signal } = turns(rig.clock, hours);
  const { events, database, box, askHistory } = rig;
  await sweepVault(clock, events, database, vault, box.node, medium, askHistory, signal);
}

async function counted(rig: Rig, what: string): Promise<readonly unknown[]> {
  const rows = await rowsOf(
    rig,
    `select body ->> '${what}' as n from entry where kind = 'vault.swept' order by seq`,
  );
  return rows.map((row) => row["n"]);
}

describe("the sweep of a vault that somebody else writes in", () => {
  it("finds footage under another key with the id of a segment that is known (invariants 3, 6)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const [known] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    const other = footageKey(rig.box.node, CAMERA, instant(START - 40 * DAY_MS), id);
    const at = (key = "") => join(rig.folder, "vault", `${key}~`);
    await mkdir(dirname(at(other)), { recursive: true });
    await cp(at(known?.key), at(other), { recursive: true });
    await sweep(rig);
    assert.deepEqual(await counted(rig, "orphans"), [1]);
    const [breach] = await rowsOf(rig, "select what from breach");
    assert.equal(breach?.["what"], other);
    assert.match((await rig.check()).map(({ what }) => what).join(), /has no row/);
  });

  it("finds what came back to a place where its row says that it is gone", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    // Destroyed here, and left on a medium that is away.
    await rowsOf(rig, "update segment set state = 'destroying' returning id");
    await rowsOf(rig, "update copy set state = 'gone' returning place");
    await sweep(rig);
    assert.deepEqual(await counted(rig, "orphans"), [1]);
  });

  it("does not call missing what was destroyed since its row was read", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const [known] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    const vault: Vault = {
      ...rig.vault,
      async versions(key) {
        // The box goes on meanwhile.
        await rig.vault.destroy(key, known?.versionId ?? "");
        await rowsOf(
          rig,
          "update segment set state = 'destroying' where state = 'stored' returning id",
        );
        return rig.vault.versions(key);
      },
      async *list() {},
    };
    await sweep(rig, 1, vault);
    assert.deepEqual(await counted(rig, "missing"), [0]);
  });

  it("does not call unfinished what was finished since it was looked at", async () => {
    await using rig = await openRig();
    const key = footageKey(rig.box.node, CAMERA, START, ID);
    let writing = true;
    const vault = { ...rig.vault, unfinished: async () => (writing ? [key] : []) };
    await sweep(rig, 1, vault);
    rig.clock.move(6 * DAY_MS + 12 * HOUR_MS);
    await sweep(rig, 1, vault);
    writing = false;
    await sweep(rig, 20, vault);
    assert.deepEqual(await counted(rig, "unfinished"), [0, 0]);
  });
});

describe("a breach on a separate medium", () => {
  it("lasts while the medium is away: nobody has seen that it is gone", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const key = footageKey(rig.box.node, CAMERA, instant(START - 40 * DAY_MS), ID);
    await medium.vault.put(key, textBody("beeld"), FREELY, NEVER);
    await sweep(rig, 1, rig.vault, medium.vault);
    await unplug(rig);
    rig.clock.move(8 * DAY_MS);
    await sweep(rig, 1, rig.vault, medium.vault);
    const open = () => rowsOf(rig, "select what from breach where ended_at_ms is null");
    assert.equal((await open()).length, 1);
    await rename(join(rig.folder, "drawer"), join(rig.folder, "medium"));
    const [version] = await medium.vault.versions(key);
    await medium.vault.destroy(key, version?.versionId ?? "");
    rig.clock.move(8 * DAY_MS);
    await sweep(rig, 1, rig.vault, medium.vault);
    assert.deepEqual(await open(), []);
  });

  it("is told beside one of the same footage in the vault", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const key = footageKey(rig.box.node, CAMERA, instant(START - 40 * DAY_MS), ID);
    for (const vault of [medium.vault, rig.vault])
      await vault.put(key, textBody("beeld"), FREELY, NEVER);
    await sweep(rig, 1, rig.vault, medium.vault);
    const places = await rowsOf(rig, "select place from breach order by place");
    assert.deepEqual(
      places.map((row) => row["place"]),
      ["secured", "vault"],
    );
  });
});
