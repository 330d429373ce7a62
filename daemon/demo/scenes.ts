import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { readPolicy } from "../../config/load.ts";
import { footagePrefix, segmentOf } from "../../storage/vault/keys.ts";
import type { Ask } from "../control/client.ts";
import { holdFootage } from "../desk/hold.ts";
import { findInLedger } from "../desk/node-ledger.ts";
import { dayIdentity, openFootage } from "../desk/open.ts";
import { openStation } from "../desk/station.ts";
import type { Expectation } from "./show.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { DemoSite } from "./site.ts";

/** Opens a segment twice, at the desk and with the stock `age` command, and compares with the clip's hash. */
export async function openWithStockAge(
  clock: SimulatedClock,
  folder: string,
  site: DemoSite,
  id: string,
  clip: string,
  signal: AbortSignal,
): Promise<Expectation> {
  await using station = await openStation(site.desk);
  const target = { node: site.config.node, id: parseSegmentId(id) };
  const { vault, config } = station;
  const { key, sealedFor } = await findInLedger(
    vault,
    config.nodes,
    config.site,
    target.node,
    target.id,
    signal,
  );

  const hash = createHash("sha256");
  for await (const bytes of openFootage(
    clock,
    station,
    target,
    "aangifte",
    site.officerKey,
    signal,
  ))
    hash.update(bytes);

  const [version] = await vault.versions(key);
  const sealed = join(folder, "opened.age");
  await pipeline(vault.read(key, version?.versionId ?? "", signal), createWriteStream(sealed));
  const identity = await dayIdentity(station, sealedFor, site.officerKey);
  const stock = await sha256OfAge(sealed, identity);
  const original = (await text(spawn("sha256sum", ["--", clip]).stdout)).slice(0, 64);
  return {
    expected: `sha256 ${original}`,
    seen:
      stock === hash.digest("hex")
        ? `sha256 ${stock}`
        : `age: ${stock}, bureau / desk: anders / another`,
  };
}

/** `age -d -i - sealed | sha256sum`, the identity on age's standard input. */
async function sha256OfAge(sealed: string, identity: string): Promise<string> {
  const age = spawn("age", ["-d", "-i", "-", sealed], { stdio: ["pipe", "pipe", "inherit"] });
  const sum = spawn("sha256sum", [], { stdio: ["pipe", "pipe", "inherit"] });
  age.stdin.end(`${identity}\n`);
  const [, shown] = await Promise.all([pipeline(age.stdout, sum.stdin), text(sum.stdout)]);
  return shown.slice(0, 64);
}

/** Holds one segment at the desk and waits until the box has seen it and the vault holds it. */
export async function holdOne(
  clock: SimulatedClock,
  site: DemoSite,
  id: string,
  ask: Ask,
  signal: AbortSignal,
): Promise<Expectation> {
  await using station = await openStation(site.desk);
  const request = {
    incident: "2026-0042",
    purpose: "aangifte",
    ground: "aangifte",
    reference: "PL1500-DEMO",
    reason: "demo",
    reviewAt: plus(clock.now(), 60 * DAY_MS),
    segments: [{ node: site.config.node, id: parseSegmentId(id) }],
  };
  const policy = await readPolicy(site.config.policy);
  const { inForce } = await holdFootage(clock, station, policy, request, signal);
  await clock.pass(2 * MINUTE_MS, signal);
  const { holds } = await ask("status", {});
  return {
    expected: "1 in de kluis, 1 op de kast / in the vault, on the box",
    seen: `${inForce.length} in de kluis, ${holds.inForce} op de kast / in the vault, on the box`,
  };
}

/** Looks again, past the program that did the destroying: in the vault, in the ring, and at the moments. */
export async function destroyedEverywhere(
  site: DemoSite,
  ask: Ask,
  held: string,
  ages: ReadonlyMap<string, number>,
  clips: number,
  signal: AbortSignal,
): Promise<readonly (Expectation & { readonly what: string })[]> {
  await using station = await openStation(site.desk);
  const { vault } = station;
  const versions = await Array.fromAsync(vault.list(footagePrefix(site.config.node), signal));
  const inVault = versions.map(({ key }) => segmentOf(key) ?? key);
  const files = await readdir(join(site.config.spool.path, "segments"), { recursive: true });
  const inRing = files.filter((name) => name.endsWith(".age")).map((name) => name.slice(-30, -4));
  const inTime = [...ages.values()].filter(
    (age) => age > 27 * DAY_MS + 22 * HOUR_MS && age <= 28 * DAY_MS,
  );
  const { findings } = await ask("verify", { depth: "hashes" });
  return [
    {
      what: "vernietigd in de 28e dag na opname / destroyed in their 28th day after recording",
      expected: `${clips - 1} van / of ${clips - 1}`,
      seen: `${inTime.length} van / of ${ages.size}`,
    },
    { what: "nog in de kluis / left in the vault", expected: held, seen: inVault.join(", ") },
    { what: "nog in de ring / left in the ring", expected: held, seen: inRing.join(", ") },
    {
      what: "bewaard verify",
      expected: "in orde / all well",
      seen: findings.map(({ what }) => what).join("; ") || "in orde / all well",
    },
  ];
}
