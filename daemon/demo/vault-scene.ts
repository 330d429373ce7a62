import { BewaardError } from "#base/errors";
import { type HoldId, parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, plus, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { readPolicy } from "../../config/load.ts";
import { footagePrefix, segmentOf } from "../../storage/vault/keys.ts";
import type { ObjectVersion } from "../../storage/vault/vault.ts";
import { openProgress } from "../cli/progress.ts";
import { STATES } from "../cli/shown.ts";
import { type Ask, asker } from "../control/client.ts";
import { holdFootage } from "../desk/hold.ts";
import { releaseHold } from "../desk/release.ts";
import { openStation } from "../desk/station.ts";
import type { Events } from "../events.ts";
import { runCore } from "../main.ts";
import { unattended } from "../notify/attendant.ts";
import { socketPath } from "../places.ts";
import { runDock } from "../run-dock.ts";
import { answering } from "./answering.ts";
import { recordClip } from "./clips.ts";
import { deleteAttempt } from "./delete-attempt.ts";
import type { DemoBucket } from "./demo-bucket.ts";
import type { Show } from "./show.ts";
import { type DemoSite, makeDemoSite } from "./site.ts";
import type { VaultTime } from "./vault-time.ts";

/** Coarse: what is shown is that days pass. */
const HOP_HOURS = 6;

/**
 * Keeps a clip in a bucket, secures it at the desk, and lets whoever holds a credential try to destroy it: shows
 * the bucket's own refusal. Where time can be let pass, also what the bucket destroys by itself, and when.
 */
export async function vaultScene(
  folder: string,
  events: Events,
  show: Show,
  bucket: DemoBucket,
  time: VaultTime,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = time;
  const more = { vault: { s3: bucket.settings } };
  const site = await makeDemoSite(clock, folder, ["bc-0201"], 100, signal, more, bucket.known);
  const finished = new AbortController();
  await together(AbortSignal.any([signal, finished.signal]), [
    (s) => runCore(clock, events, unattended(clock), site.config, s),
    (s) => runDock(clock, events, unattended(clock), site.config, s),
    async (s) => {
      await play(site, show, bucket, time, s);
      finished.abort();
    },
  ]);
}

async function play(
  site: DemoSite,
  show: Show,
  bucket: DemoBucket,
  time: VaultTime,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = time;
  const ask = asker(socketPath(site.config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: clock.now(), by: "demo" });
  const { level } = bucket.settings;
  show.say(`Een kluis in een emmer / a vault in a bucket: ${level}`);
  for (const [index, ageMs] of [HOUR_MS, 2 * HOUR_MS].entries()) {
    const startedAt = plus(clock.now(), -Math.floor(ageMs / SECOND_MS) * SECOND_MS);
    await recordClip(site.docks["bc-0201"] ?? "", startedAt, 330 + 110 * index);
  }
  const stored = async () => (await count(ask, "stored")) === 2;
  show.expect("in de emmer, teruggelezen / in the bucket, read back", {
    expected: "2 van / of 2",
    seen: (await time.until(stored, signal)) ? "2 van / of 2" : "niet alles / not all",
  });
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  const id = parseSegmentId(segments[0]?.id ?? "");
  const hold = await holdAtDesk(site, time, id, signal);
  await showHold(show, ask, bucket, time, signal);
  const version = await versionOf(site, id, signal);
  for (const { who, credential } of thieves(bucket)) {
    show.expect(`${who} vernietigt het / destroys it; de emmer zegt / the bucket says`, {
      expected: "AccessDenied",
      seen: await deleteAttempt(site.config, credential, version),
    });
  }
  show.expect("daarna nog in de emmer / still in the bucket afterwards", {
    expected: version.versionId,
    seen: (await versionOf(site, id, signal)).versionId,
  });
  if (time.pass === undefined) return;
  await letPass(site, show, ask, id, 29, time.pass, signal);
  await using station = await openStation(site.desk);
  await releaseHold(clock, station, hold, signal);
  await letPass(site, show, ask, undefined, 3, time.pass, signal);
}

/** In force at once where the bucket holds; in a plain one when the ledger that says so has left the box. */
async function showHold(
  show: Show,
  ask: Ask,
  { settings }: DemoBucket,
  time: VaultTime,
  signal: AbortSignal,
): Promise<void> {
  const waits = settings.level === "plain" && time.pass === undefined;
  const seen = async () => {
    const { holds } = await ask("status", {});
    return (waits ? holds.requested : holds.inForce) === 1;
  };
  const what = waits
    ? "aangevraagd; van kracht zodra het logboek de kast uit is / requested; in force once the ledger has left the box"
    : "veiliggesteld en teruggelezen / held and read back";
  show.expect(what, {
    expected: "ja / yes",
    seen: (await time.until(seen, signal)) ? "ja / yes" : "nee / no",
  });
}

/** Who has a credential and tries. A plain bucket refuses nobody who may delete there. */
function thieves({ settings, known, breakGlass }: DemoBucket) {
  if (settings.level === "plain") return [];
  return [
    { who: "wie de kast steelt / who steals the box", credential: known.box },
    { who: "de beheerder van veiligstellingen / the custodian", credential: known.custodian },
    ...(breakGlass ? [{ who: "het breekglas / the break-glass", credential: breakGlass }] : []),
  ];
}

async function holdAtDesk(
  site: DemoSite,
  { clock }: VaultTime,
  id: SegmentId,
  signal: AbortSignal,
): Promise<HoldId> {
  await using station = await openStation(site.desk);
  const request = {
    incident: "2026-0043",
    purpose: "aangifte",
    ground: "aangifte",
    reference: "PL1500-DEMO",
    reason: "demo",
    reviewAt: plus(clock.now(), 60 * DAY_MS),
    segments: [{ node: site.config.node, id }],
  };
  const policy = await readPolicy(site.config.policy);
  return (await holdFootage(clock, station, policy, request, signal)).hold;
}

/** Lets days pass; then only `left` is in the bucket, and nothing of what it destroyed was the box's doing. */
async function letPass(
  site: DemoSite,
  show: Show,
  ask: Ask,
  left: SegmentId | undefined,
  days: number,
  pass: (ms: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const progress = openProgress(`${days} dagen / days`, days);
  for (let hours = 0; hours < days * 24; hours += HOP_HOURS) {
    await pass(HOP_HOURS * HOUR_MS, signal);
    progress.update(Math.floor(hours / 24));
  }
  progress.end();
  await using station = await openStation(site.desk);
  const listed = await Array.fromAsync(station.vault.list(footagePrefix(site.config.node), signal));
  show.expect(
    left === undefined
      ? "na vrijgeven vernietigt de emmer ook die / once released the bucket destroys that one too"
      : `na ${days} dagen is alleen die er nog / after ${days} days that one alone is left`,
    {
      expected: left ?? "niets / nothing",
      seen: listed.map(({ key }) => segmentOf(key) ?? key).join(", ") || "niets / nothing",
    },
  );
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  const states = segments.map(({ state }) => STATES[state] ?? state).toSorted();
  const destroyed = STATES["destroyed"] ?? "";
  const expected =
    left === undefined ? [destroyed, destroyed] : [destroyed, STATES["stored"] ?? ""];
  show.expect("op de kast / on the box", {
    expected: expected.toSorted().join(", "),
    seen: states.join(", "),
  });
  const { findings } = await ask("verify", { depth: "hashes" });
  show.expect("bewaard verify", {
    expected: "in orde / all well",
    seen: findings.map(({ what }) => what).join("; ") || "in orde / all well",
  });
}

async function count(ask: Ask, state: string): Promise<number> {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  return segments.filter((one) => one.state === state).length;
}

async function versionOf(
  site: DemoSite,
  id: SegmentId,
  signal: AbortSignal,
): Promise<ObjectVersion> {
  await using station = await openStation(site.desk);
  for await (const version of station.vault.list(footagePrefix(site.config.node), signal)) {
    if (segmentOf(version.key) === id) return version;
  }
  throw new BewaardError("VAULT_NOT_FOUND", `${id}: not in the bucket`);
}
