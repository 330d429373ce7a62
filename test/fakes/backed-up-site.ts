import assert from "node:assert/strict";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DAY_MS, MINUTE_MS } from "#base/time";
import { makeRecoveryKey } from "../../daemon/backup/recovery-key.ts";
import type { Ask } from "../../daemon/control/client.ts";
import { passUntil, simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { unseen } from "./backing-up.ts";
import { temporaryFolder } from "./folder.ts";
import { lose } from "./lost-box.ts";
import { START } from "./rig.ts";
import { openSite, type Site, whileRunning } from "./site.ts";

/** A box that made two backups, stored more since, and lost its disk; and what is in the envelope. */
export interface BackedUpSite {
  readonly site: Site;
  readonly identity: string;
  readonly recipient: string;
}

async function film(site: Site, name: string): Promise<void> {
  const card = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  await writeFile(join(card, `${name}.MP4`), `recording ${name}`);
}

const COPIED = { recursive: true, preserveTimestamps: true };

/** One such box, for many tests: it has lived only once. */
export async function openBackedUpSites() {
  await using opened = new AsyncDisposableStack();
  const keys = opened.use(await temporaryFolder());
  const recipients = join(keys.path, "recovery.txt");
  const key = await makeRecoveryKey(recipients, "pq", unseen);
  const site = opened.use(await openSite(START, ["bc-0101"], 40, { backup: { recipients } }));
  const kept = opened.use(await temporaryFolder());
  await live(site);
  const { config } = site.demo;
  const alive = opened.use(await temporaryFolder());
  await cp(config.spool.path, alive.path, COPIED);
  await lose(config);
  const lostAt = site.clock.now();
  await cp(site.folder, kept.path, COPIED);
  const closing = opened.move();
  return {
    /** Puts it back as it was after the loss; `spool`: on a disk that survived it. */
    async again(spool: "is lost" | "survives" = "is lost"): Promise<BackedUpSite> {
      await rm(site.folder, { recursive: true });
      await cp(kept.path, site.folder, COPIED);
      if (spool === "survives") {
        await rm(config.spool.path, { recursive: true });
        await cp(alive.path, config.spool.path, COPIED);
      }
      const clock = simulatedClock(lostAt);
      clock.restart(0);
      return { site: { ...site, clock }, ...key };
    },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

async function live(site: Site): Promise<void> {
  await film(site, "20260601_112000");
  await whileRunning(site, async (ask, signal, said) => {
    // A day in minutes takes minutes on a busy machine.
    const until = async (what: string, seen: () => Promise<boolean>, hopMs = MINUTE_MS) =>
      assert.ok(await passUntil(site.clock, hopMs, 2 * DAY_MS, seen, signal), what);
    const made = async (times: number) =>
      said.filter((event) => event === "backup-made").length === times;
    await until("a backup", () => made(1));
    await film(site, "20260601_113000");
    await until("stored", async () => (await stored(ask)) === 2);
    await until("another backup", () => made(2), 20 * MINUTE_MS);
    await film(site, "20260601_114000");
    await until("stored", async () => (await stored(ask)) === 3);
    const size = (await ask("status", {})).checkpoint?.size ?? 0;
    await until("signed", async () => ((await ask("status", {})).checkpoint?.size ?? 0) > size);
  });
}

async function stored(ask: Ask): Promise<number> {
  return (await ask("status", {})).states["stored"] ?? 0;
}
