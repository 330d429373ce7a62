import assert from "node:assert/strict";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { HOUR_MS, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { readProfile } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { keptProfile } from "../daemon/docks/kept-profile.ts";
import { sorter } from "../drivers/bodycam/profile.ts";
import { CAMERA, named, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";

const CLIP = named(-30);
const TRAIL = CLIP.replace(".MP4", ".GPS");
const THUMB = CLIP.replace(".MP4", ".THM");
const DEN_HAAG = fileURLToPath(new URL("../config/policies/den-haag.yaml", import.meta.url));

/** A site with a recording on a card, a thumbnail, and the trail of where it was. */
async function openTrailed(): Promise<Site> {
  const site = await openSite(START, [CAMERA], 3);
  const at = plus(START, -30 * MINUTE_MS) / 1000;
  for (const name of [CLIP, TRAIL, THUMB]) {
    const path = join(site.demo.docks[CAMERA] ?? "", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name);
    await utimes(path, at, at);
  }
  return site;
}

/** How many files the box has stored, once it says that the folder is safe. */
async function stored(site: Site, config: Config): Promise<number | undefined> {
  let count: number | undefined;
  await whileRunning(
    site,
    async (ask, signal) => {
      const isSafe = async () => (await ask("docks", {})).slots[0]?.state === "safe";
      assert.ok(await passUntil(site.clock, 5 * SECOND_MS, HOUR_MS, isSafe, signal));
      const all = async () => {
        const { states } = await ask("status", {});
        count = states["stored"];
        return (states["sealed"] ?? 0) === 0;
      };
      assert.ok(await passUntil(site.clock, 5 * SECOND_MS, HOUR_MS, all, signal));
    },
    config,
  );
  return count;
}

describe("files that tell where a bodycam was (DH-05)", function () {
  this.timeout(90_000);

  it("are not kept: the recording is, with what else lies beside it", async () => {
    await using site = await openTrailed();
    assert.equal(await stored(site, site.demo.config), 2);
  });

  it("are kept like the rest where policy says so", async () => {
    await using site = await openTrailed();
    const policy = join(site.demo.config.state, "policy.yaml");
    const text = await readFile(DEN_HAAG, "utf8");
    await writeFile(
      policy,
      text.replace("keeps: [video, audio]", "keeps: [video, audio, location]"),
    );
    assert.equal(await stored(site, { ...site.demo.config, policy }), 3);
  });

  it("are known by every shipped profile, in any case, unless it calls them recordings", async () => {
    const names = ["generic-dcim", "generic-dcim-synchronised", "transcend-drivepro-body"];
    for (const name of [...names, "white-label-5-minutes", "mtp-generic"]) {
      const profile = await readProfile(name);
      const kinds = (keeps: ("video" | "location")[]) =>
        ["A/B/x.gps", "x.NMEA", "DCIM/x.Srt"].map((path) =>
          sorter(keptProfile(keeps, profile))(Buffer.from(path)),
        );
      assert.deepEqual(kinds(["video"]), ["location", "location", "location"], name);
      assert.deepEqual(kinds(["video", "location"]), ["sidecar", "sidecar", "sidecar"], name);
      const media = sorter({ ...profile, media: ["**/*.SRT"] });
      assert.equal(media(Buffer.from("x.srt")), "media");
    }
  });
});
