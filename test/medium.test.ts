import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { SegmentId } from "#base/ids";
import { DAY_MS } from "#base/time";
import { confirmDestroyed, stateDestroyed } from "../daemon/desk/medium.ts";
import { appendEntry, openStation, readChain, type Station } from "../daemon/desk/station.ts";
import { heeder } from "../daemon/heed.ts";
import type { Medium } from "../daemon/secure.ts";
import { hold, openDisk, release, rowsOf, secureOnce, unplug } from "./fakes/medium.ts";
import { NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site } from "./fakes/site.ts";

const DISK = { kind: "usb-schijf", serial: "WD-123" };

/** Two desks of one site, each with a person and a key of their own, and a box that reads their chain. */
interface Two extends AsyncDisposable {
  readonly site: Site;
  readonly rig: Rig;
  readonly first: Station;
  readonly second: Station;
  readonly medium: Medium;
  readonly id: SegmentId;
  /** Lets the box read the desk. */
  heed(): Promise<void>;
  copy(): Promise<unknown>;
}

async function openTwo(options: { demo?: boolean; sameKey?: boolean } = {}): Promise<Two> {
  const site = await openSite(START, ["bc-0101"], 3);
  const rig = await openRig();
  const folder = join(site.folder, "desk-2");
  const key = join(site.folder, options.sameKey ? "sign-key" : "sign-key-2");
  if (!options.sameKey) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const [type, publicKey] = (await readFile(`${key}.pub`, "utf8")).split(" ");
  const signers = site.demo.config.desk_signers;
  await appendFile(signers, `p-02 namespaces="bewaard-desk" ${type} ${publicKey}\n`);
  await cp(site.demo.desk, folder, { recursive: true });
  const yaml = await readFile(join(folder, "desk.yaml"), "utf8");
  const theirs = yaml
    .replace("person: p-01", "person: p-02")
    .replace(/sign_key: .*/, `sign_key: ${key}`);
  await writeFile(join(folder, "desk.yaml"), theirs);
  const first = await openStation(site.demo.desk);
  const desk = { site: "demo-handhaving", signersPath: signers, separate: true };
  const { clock, events, database, box } = rig;
  const demo = options.demo ?? false;
  const heed = heeder(clock, events, database, first.vault, box.node, { ...desk, demo });
  const medium = await openDisk(rig);
  const id = await rig.keep("beeld");
  await hold(rig, id);
  await secureOnce(rig, medium);
  return {
    site,
    rig,
    first,
    second: await openStation(folder),
    medium,
    id,
    heed: async () => assert.equal(await heed(rig.clock.now(), NEVER), true),
    copy: async () =>
      (await rowsOf(rig, "select state from copy where place = 'secured'"))[0]?.["state"],
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

/** The disk is in a drawer, and what was on it was released. */
async function releasedAway({ rig, medium }: Two): Promise<void> {
  await unplug(rig);
  await release(rig);
  await secureOnce(rig, medium);
}

describe("a medium that is destroyed (invariant 12)", () => {
  it("counts once two people have signed the same words, not before", async () => {
    await using two = await openTwo();
    await releasedAway(two);
    const { rig, site, first, second } = two;
    const number = await stateDestroyed(site.clock, first, DISK, "all", NEVER);
    await two.heed();
    assert.equal(await two.copy(), "leaving");
    await confirmDestroyed(site.clock, second, number, NEVER);
    await two.heed();
    assert.equal(await two.copy(), "gone");
    const [told] = await rowsOf(rig, "select body from entry where kind = 'medium.destroyed'");
    assert.match(String(told?.["body"]), /"by":\["p-01","p-02"\].*"segments":1.*"whole":true/);
    assert.deepEqual(await rig.check(), []);
  });

  it("is not confirmed by the one who said it, not even under another name", async () => {
    await using two = await openTwo({ sameKey: true });
    await releasedAway(two);
    const number = await stateDestroyed(two.site.clock, two.first, DISK, "all", NEVER);
    const again = confirmDestroyed(two.site.clock, two.first, number, NEVER);
    await assert.rejects(again, { code: "DESK_FORBIDDEN" });
    await confirmDestroyed(two.site.clock, two.second, number, NEVER);
    await two.heed();
    assert.equal(await two.copy(), "leaving");
    assert.ok(two.rig.said.includes("medium-refused"));
  });

  it("is not confirmed with other words, nor a week later", async () => {
    await using two = await openTwo();
    await releasedAway(two);
    const { site, first, second } = two;
    const number = await stateDestroyed(site.clock, first, DISK, "all", NEVER);
    const stated = await confirmedWith(two, number);
    await appendEntry(site.clock, second, { ...stated, serial: "WD-999" }, NEVER);
    await two.heed();
    await site.clock.pass(8 * DAY_MS, NEVER);
    await confirmDestroyed(site.clock, second, number, NEVER);
    await two.heed();
    assert.equal(await two.copy(), "leaving");
    const told = await rowsOf(
      two.rig,
      "select body ->> 'why' as why from entry where kind = 'medium.refused'",
    );
    assert.deepEqual(
      told.map((row) => row["why"]),
      ["confirms other words", "confirmed too late"],
    );
  });

  it("is believed of one person on a demo site", async () => {
    await using two = await openTwo({ demo: true });
    await releasedAway(two);
    await stateDestroyed(
      two.site.clock,
      two.first,
      DISK,
      [{ node: two.rig.box.node, id: two.id }],
      NEVER,
    );
    await two.heed();
    assert.equal(await two.copy(), "gone");
  });

  it("with footage that is held is an alarm, and that footage is asked for anew", async () => {
    await using two = await openTwo({ demo: true });
    const { rig, site, first, id } = two;
    await stateDestroyed(site.clock, first, DISK, "all", NEVER);
    await two.heed();
    assert.ok(rig.said.includes("secured-lost"));
    const [row] = await rowsOf(rig, "select * from hold");
    assert.deepEqual([row?.["in_force_at_ms"], row?.["secured_at_ms"]], [null, null]);
    const next = await openDisk(rig, "WD-124", "medium-2");
    await secureOnce(rig, next);
    assert.equal(await two.copy(), "present");
    assert.match(rig.lines.join(""), new RegExp(id));
  });

  it("and is here nevertheless is refused: somebody signed what is not so", async () => {
    await using two = await openTwo({ demo: true });
    await release(two.rig);
    await stateDestroyed(two.site.clock, two.first, DISK, "all", NEVER);
    await two.heed();
    const again = await openDisk(two.rig);
    await assert.rejects(
      again.vault.versions("footage/x"),
      /was signed to be destroyed, and is here/,
    );
  });
});

async function confirmedWith({ first }: Two, number: number) {
  const entry = (await readChain(first, NEVER)).find((one) => one.entry.number === number);
  if (entry?.entry.command.kind !== "medium.destroyed") throw new Error("no statement");
  return { ...entry.entry.command, confirms: { number, link: entry.head.link } };
}
