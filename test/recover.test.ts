import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, type Instant, instant, MINUTE_MS } from "#base/time";
import { readConfig } from "../config/load.ts";
import { asker } from "../daemon/control/client.ts";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { socketPath } from "../daemon/places.ts";
import { commandsOf, type Machine, openMachine } from "./fakes/drill.ts";
import { NEVER } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { until } from "./fakes/until.ts";
import { clientOf } from "./peers/ceph-client.ts";

// docs/recover.md, done to the letter: its blocks of commands, on a box that lived some hours up to now.

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const BUCKET = "beelden";
const AMSTERDAM = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Amsterdam",
  dateStyle: "short",
  timeStyle: "medium",
});

interface Drill {
  readonly site: Site;
  readonly machine: Machine;
}

async function film(site: Site, at: Instant): Promise<void> {
  const card = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  const name = AMSTERDAM.format(at).replaceAll(/[-:]/g, "").replace(" ", "_");
  await writeFile(join(card, `${name}.MP4`), `recording ${name}`);
}

/** What is done before anything happens; returns what goes into the envelope. */
async function prepare({ machine }: Drill): Promise<string> {
  const said: string[] = [];
  for (const block of await commandsOf("recover.md", "Before it happens"))
    said.push(await machine.run(block));
  const [envelope] = /AGE-SECRET-KEY-\S+/.exec(said.join("\n")) ?? [];
  assert.ok(envelope);
  return envelope;
}

/** Two recordings, a backup, one more recording, and a signed head over it; returns how many entries that is over. */
async function live({ site }: Drill): Promise<number> {
  const config = await readConfig(join(site.folder, "bewaard.yaml"));
  assert.ok(config.backup);
  await film(site, site.clock.now());
  let size = 0;
  await whileRunning(
    site,
    async (ask, signal, said) => {
      const see = async (what: string, seen: () => Promise<boolean>) =>
        assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, seen, signal), what);
      const stored = async () => (await ask("status", {})).states["stored"] ?? 0;
      await see("a recording", async () => (await stored()) === 1);
      await see("a backup", async () => said.includes("backup-made"));
      await film(site, site.clock.now());
      await see("another recording", async () => (await stored()) === 2);
      const signed = async () => (await ask("status", {})).checkpoint?.size ?? 0;
      const before = await signed();
      await see("a head", async () => (await signed()) > before);
      size = await signed();
    },
    config,
  );
  return size;
}

/** The disk with state, key and spool is gone. What step 3 puts back: copies of what is no secret, and credentials. */
async function die({ site }: Drill): Promise<void> {
  const { state, spool } = site.demo.config;
  const names = (await readdir(state)).filter((name) => name.endsWith(".credential"));
  const credentials = await Promise.all(names.map((name) => readFile(join(state, name))));
  await rm(state, { recursive: true });
  await rm(spool.path, { recursive: true });
  await mkdir(state, { mode: 0o710 });
  for (const [nth, name] of names.entries())
    await writeFile(join(state, name), credentials[nth] ?? "", { mode: 0o600 });
  await rename(join(site.folder, "node.vkey"), join(site.folder, "lost.vkey"));
}

async function recover({ site, machine }: Drill, envelope: string, size: number): Promise<void> {
  const blocks = await commandsOf("recover.md", "A dead box");
  const asksForKey = blocks.findIndex((block) => block.includes("bewaard restore"));
  assert.ok(asksForKey > 0);
  const known = (entries: number) => writeFile(join(site.folder, "lost.size"), `${entries}\n`);
  // At its end it may have signed once more.
  await known(size + 1000);
  const said: string[] = [];
  for (const [nth, block] of blocks.entries()) {
    const typed = nth === asksForKey ? `${envelope}\n` : "";
    if (nth === asksForKey) {
      // As where the newest heads were hidden from the vault.
      await assert.rejects(machine.run(block, typed), /LEDGER_BROKEN/);
      await known(size);
    }
    said.push(await machine.run(block, typed));
  }
  assert.match(said[asksForKey] ?? "", /Back-up van \/ backup of 20.*Z/);
  assert.match(said[asksForKey] ?? "", /2 fragmenten in de kluis/);
  assert.doesNotMatch(said[asksForKey] ?? "", /VERLOREN|ONTBREKEN|NIET/);
  assert.doesNotMatch(said.join("\n"), /AGE-SECRET-KEY/);
  const { demo, folder } = site;
  assert.notEqual(
    await readFile(join(folder, "node.vkey"), "utf8"),
    await readFile(join(folder, "lost.vkey"), "utf8"),
  );
  const ask = asker(socketPath(demo.config), NEVER);
  await until(async () => (await ask("status", {})).history === "one");
  assert.equal((await ask("status", {})).states["stored"], 2);
  assert.deepEqual((await ask("verify", { depth: "hashes" })).findings, []);
}

async function drill(more: object, known?: Parameters<typeof openSite>[4]): Promise<void> {
  const start = instant(Math.floor(systemClock.now() / MINUTE_MS) * MINUTE_MS - 3 * HOUR_MS);
  await using site = await openSite(start, ["bc-0101"], 40, more, known);
  await using machine = await openMachine(site.folder);
  const envelope = await prepare({ site, machine });
  await machine.run("/usr/lib/bewaard/systemd/node-key.sh");
  const size = await live({ site, machine });
  await die({ site, machine });
  await recover({ site, machine }, envelope, size);
}

async function makeBucket(server: S3Server, locked: boolean): Promise<void> {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  const command = { Bucket: BUCKET, ObjectLockEnabledForBucket: locked };
  await client.send(new CreateBucketCommand(command));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  client.destroy();
}

describe("docs/recover.md, followed to the letter", function () {
  this.timeout(4 * MINUTE_MS);

  it("brings a dead box back from a directory, under a new node key, and it goes on", async () => {
    await drill({});
  });

  for (const level of ["plain", "locked"] as const) {
    it(`brings it back from a bucket that is ${level}`, async () => {
      await using server = await startS3Server({
        quirks: "aws",
        users: [OWNER],
        clock: systemClock,
      });
      await makeBucket(server, level === "locked");
      const { region, endpoint } = server;
      const declared = {
        country: "NL",
        declared_by: "functioneel-beheer",
        declared_on: "2026-09-01",
      };
      const s3 = { provider: "own", region, endpoint, bucket: BUCKET, level, ...declared };
      await drill({ vault: { s3 } }, { box: OWNER, destroyer: OWNER, custodian: OWNER });
    });
  }
});
