import assert from "node:assert/strict";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { Configured, ProducerName } from "../daemon/own-facts.ts";
import { recordPaired } from "../storage/catalog/devices.ts";
import { createIncoming, incomingFolder } from "../storage/spool/spool.ts";
import { EMPTIED, GAP, LEFT } from "./fakes/other-facts.ts";
import { CAMERA, openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";

interface Said {
  readonly [field: string]: unknown;
}

/** A box to which `producer` hands over, and that knows a camera of either kind. */
async function openBoth(
  producer: ProducerName,
  configured: readonly Configured[] = [],
): Promise<Rig> {
  const rig = await openRig({ producer, configured });
  await createIncoming(rig.spool, producer);
  await recordPaired(rig.database, START, [
    { id: CAMERA, kind: "bodycam", pairedAt: START },
    { id: WALL_CAMERA, kind: "camera", pairedAt: START },
  ]);
  return rig;
}

/** A sealed file with its manifest, as `producer` hands it over, but for what it says instead; a fact without file where it is of no segment. */
async function handOver(rig: Rig, producer: ProducerName, said: Said): Promise<string> {
  const id = await rig.record("beeld");
  const from = rig.sealing.incoming;
  const to = incomingFolder(rig.spool, producer);
  const manifest: unknown = JSON.parse(await readFile(join(from, `${id}.json`), "utf8"));
  assert.ok(typeof manifest === "object");
  await rm(join(from, `${id}.json`));
  if ("kind" in said) await rm(join(from, `${id}.age`));
  else await rename(join(from, `${id}.age`), join(to, `${id}.age`));
  await writeFile(join(to, `${id}.json`), JSON.stringify({ ...manifest, producer, ...said }));
  return id;
}

/** How many rows core has of what a producer tells it. */
async function recorded(rig: Rig): Promise<unknown> {
  return rig.database.transaction(async (sql) => {
    const [counted] = await sql.all(
      `select (select count(*) from segment) as segments, (select count(*) from gap) as gaps,
         (select count(*) from left_file) as left_files,
         (select count(*) from device where emptied_at_ms is not null) as emptied,
         (select count(*) from quarantine) as apart`,
    );
    return { ...counted };
  });
}

const NOTHING = { segments: 0, gaps: 0, left_files: 0, emptied: 0, apart: 0 };

describe("what a producer hands over that is another's to tell (invariants 6, 9)", () => {
  const lies = [
    ["the dock", "footage of a camera in a building", "dock", { device: WALL_CAMERA }],
    ["the recorder", "footage of a bodycam", "record", { device: CAMERA }],
    ["the recorder", "a gap of a bodycam", "record", { ...GAP, device: CAMERA }],
    ["the dock", "a file left of a camera in a building", "dock", { ...LEFT, device: WALL_CAMERA }],
    ["the dock", "a gap of a bodycam", "dock", { ...GAP, device: CAMERA }],
    ["the recorder", "a file left of its own", "record", { ...LEFT, device: WALL_CAMERA }],
    [
      "the recorder",
      "a file left of a camera nobody knows",
      "record",
      { ...LEFT, device: "cam-9" },
    ],
    ["the dock", "an emptied card", "dock", { ...EMPTIED, device: CAMERA }],
    ["the recorder", "an emptied card", "record", { ...EMPTIED, device: CAMERA }],
  ] as const;
  for (const [who, what, producer, said] of lies) {
    it(`is set apart and recorded nowhere: ${what}, by ${who}`, async () => {
      await using rig = await openBoth(producer);
      const id = await handOver(rig, producer, said);
      await rig.adoptOnce();
      assert.deepEqual(await recorded(rig), { ...NOTHING, apart: 1 });
      const apart = await readdir(join(rig.spool.path, "quarantine"), { recursive: true });
      const ends = "kind" in said ? ["json"] : ["age", "json"];
      assert.deepEqual(
        apart.filter((name) => name.includes(id)).map((name) => name.split(".").at(-1)),
        ends,
      );
      assert.deepEqual(await readdir(incomingFolder(rig.spool, producer)), []);
      assert.ok(rig.said.includes("quarantined"));
      assert.deepEqual(await rig.check(), []);
    });
  }
});

describe("what a producer hands over of its own", () => {
  const facts = [
    ["footage of a bodycam", "dock", { device: CAMERA }, { segments: 1 }],
    ["a file left of a bodycam", "dock", { ...LEFT, device: CAMERA }, { left_files: 1 }],
    ["footage of a camera in a building", "record", { device: WALL_CAMERA }, { segments: 1 }],
    ["a gap of a camera in a building", "record", { ...GAP, device: WALL_CAMERA }, { gaps: 1 }],
  ] as const;
  for (const [what, producer, said, counted] of facts) {
    it(`is recorded: ${what}`, async () => {
      await using rig = await openBoth(producer);
      await handOver(rig, producer, said);
      await rig.adoptOnce();
      assert.deepEqual(await recorded(rig), { ...NOTHING, ...counted });
    });
  }

  it("is recorded of a number that the configuration has moved, whoever has it", async () => {
    for (const [producer, device, kind] of [
      ["dock", WALL_CAMERA, "bodycam"],
      ["record", CAMERA, "camera"],
    ] as const) {
      await using rig = await openBoth(producer, [{ id: device, kind }]);
      await handOver(rig, producer, { device });
      await rig.adoptOnce();
      assert.deepEqual(await recorded(rig), { ...NOTHING, segments: 1 });
    }
  });
});
