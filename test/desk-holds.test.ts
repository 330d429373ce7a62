import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { readPolicy } from "../config/load.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { holdFootage } from "../daemon/desk/hold.ts";
import { listDeskHolds, setAllHolds } from "../daemon/desk/list-holds.ts";
import { releaseHold } from "../daemon/desk/release.ts";
import { openStation } from "../daemon/desk/station.ts";
import { createDirectoryVault } from "../storage/vault/directory.ts";
import { NEVER, named, START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";

describe("the desk's list of holds", function () {
  this.timeout(90_000);

  it("goes by the box's signed ledger: asked, then in force on its medium, then released", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { clock, demo } = site;
    const directory = join(site.folder, "medium");
    await createDirectoryVault(directory);
    const secured = { directory, medium: "usb-schijf", serial: "WD-123" };
    const clip = join(demo.docks["bc-0101"] ?? "", named(-30));
    await mkdir(join(clip, ".."), { recursive: true });
    await writeFile(clip, "beeld");
    await using station = await openStation(demo.desk);
    const listed = async () => (await listDeskHolds(station, NEVER)).holds[0];

    await whileRunning(
      site,
      async (ask, signal) => {
        const find = async () =>
          (await ask("find", { device: null, fromMs: 0, toMs: 4e12 })).segments[0];
        const stored = async () => (await find())?.state === "stored";
        assert.ok(await passUntil(clock, 5 * SECOND_MS, HOUR_MS, stored, signal));
        const id = parseSegmentId((await find())?.id ?? "");
        const request = {
          incident: "2026-1",
          purpose: "aangifte",
          ground: "aangifte",
          reference: "PL-1",
          reason: "test",
          reviewAt: plus(START, 60 * DAY_MS),
          segments: [{ node: demo.config.node, id }],
        };
        const policy = { ...(await readPolicy("den-haag")), separate_copy: true };
        const { hold, inForce, asked } = await holdFootage(clock, station, policy, request, NEVER);
        // The vault holds it, and its separate copy is still to be made.
        assert.deepEqual([inForce, asked], [[], [id]]);
        const until = (state: string) => async () => (await listed())?.state === state;
        assert.ok(await passUntil(clock, MINUTE_MS, 3 * HOUR_MS, until("in force"), signal));
        const one = { medium: "usb-schijf", serial: "WD-123", segments: 1 };
        assert.deepEqual((await listed())?.secured, [one]);
        await releaseHold(clock, station, hold, NEVER);
        assert.equal((await listed())?.state, "released");
      },
      { ...demo.config, secured },
    );
  });

  it("says whose ledger it could not read, and calls nothing in force for it", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await using station = await openStation(site.demo.desk);
    const segments = [
      { node: site.demo.config.node, id: parseSegmentId("01J00000000000000000000001") },
    ];
    const request = {
      incident: "2026-1",
      purpose: "aangifte",
      ground: "aangifte",
      reference: "PL-1",
      reason: "test",
      reviewAt: plus(START, 60 * DAY_MS),
      segments,
    };
    await holdFootage(site.clock, station, await readPolicy("den-haag"), request, NEVER);
    const { holds, unread } = await listDeskHolds(station, NEVER);
    assert.equal(holds[0]?.state, "requested");
    assert.deepEqual(unread, ["dock-1: DESK_TAMPERED"]);
    assert.deepEqual(await setAllHolds(station, NEVER), { held: 0, lifted: 0 });
  });
});
