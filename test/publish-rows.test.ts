import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { checkpoint } from "../daemon/checkpoint.ts";
import { rootOver } from "../storage/ledger/tree.ts";
import { readText } from "../storage/vault/body.ts";
import { rowsPrefix } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { NEVER, named, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

async function publish(rig: Rig, vault: Vault = rig.vault): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

const line = z.strictObject({
  batch: z.number(),
  entry: z.number(),
  openedAt: z.string(),
  rows: z.array(z.string()),
});
type Line = z.output<typeof line>;

/** What the vault has of the rows, in the order of its objects. */
async function published(rig: Rig): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for await (const { key, versionId } of rig.vault.list(rowsPrefix(rig.box.node), NEVER)) {
    const text = await readText(rig.vault, key, versionId, NEVER);
    lines.push(
      ...text
        .trimEnd()
        .split("\n")
        .map((one) => line.parse(JSON.parse(one))),
    );
  }
  return lines;
}

async function roots(rig: Rig): Promise<readonly unknown[]> {
  return rig.database.transaction((sql) =>
    sql.all(
      "select id, entry_seq, lower(hex(root)) as root from batch where entry_seq is not null",
    ),
  );
}

function asRoots(lines: readonly Line[]): readonly unknown[] {
  return lines.map(({ batch, entry, rows }) => ({
    id: batch,
    entry_seq: entry,
    root: rootOver(rows).toString("hex"),
  }));
}

describe("the rows of batches", () => {
  it("leave before the head that covers their entry, and hash to its root", async () => {
    await using rig = await openRig();
    await rig.keep("een", named(0));
    await publish(rig);
    assert.deepEqual(asRoots(await published(rig)), await roots(rig));
    rig.clock.move(3_600_000);
    await rig.keep("twee", named(5));
    await publish(rig);
    const all = await published(rig);
    assert.equal(all.length, 2);
    assert.deepEqual(asRoots(all), await roots(rig));
  });

  it("leave once more when the vault went away in between, and those of an earlier release too", async () => {
    await using rig = await openRig();
    await rig.keep("een", named(0));
    await publish(rig, {
      ...rig.vault,
      put: async () => {
        throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
      },
    });
    assert.deepEqual(await published(rig), []);
    await publish(rig);
    await rig.database.transaction((sql) => sql.run("delete from fact where name = 'rows'"));
    rig.clock.move(3_600_000);
    await rig.keep("twee", named(5));
    await publish(rig);
    const known = new Map((await published(rig)).map((one) => [one.batch, one]));
    assert.deepEqual(asRoots([...known.values()]), await roots(rig));
  });
});
