import { fstatSync } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { BewaardError } from "#base/errors";
import { parseHoldId, parseNodeId, parsePersonId, parseSegmentId } from "#base/ids";
import { type Clock, dayOf, HOUR_MS, plus } from "#base/time";
import { readDeskPlaces } from "../../config/load.ts";
import type { DeskConfig } from "../../config/schema.ts";
import type { RecipientKind } from "../../storage/seal/recipients.ts";
import type { Opened } from "../desk/open.ts";
import type { Station } from "../desk/station.ts";
import type { Target } from "../desk/targets.ts";
import { namedByDesk } from "../places.ts";
import { addDeskHolds } from "./desk-holds-commands.ts";
import { addSeen } from "./desk-seen-command.ts";
import { print, stopSignal, typed } from "./program.ts";
import { shownSalvaged } from "./shown.ts";
import { hungUp } from "./tell.ts";
import { parseDay, parseWindow } from "./window.ts";

interface InitOptions {
  site: string;
  demo: boolean;
  person: string;
  signKey: string;
  vault: string;
  policy: string;
  annex?: string;
  officer: string[];
  node: string[];
  kind: RecipientKind;
  from?: string;
  days: string;
  credential?: string;
}

interface HoldOptions {
  incident: string;
  purpose: string;
  ground: string;
  reference?: string;
  reason: string;
  review: string;
  segment: string[];
}

interface OpenOptions {
  purpose: string;
  key: string;
  from?: string;
  to?: string;
  salvage: boolean;
}

/** `bewaarctl desk …`: what custodians do, on a desk station of their own. Each loads what it needs when it is typed. */
export function addDeskCommands(
  program: Command,
  clock: Clock,
  global: () => { json: boolean },
): void {
  const desk = program
    .command("desk")
    .description("bureau: veiligstellen, vrijgeven, openen / desk: hold, release, open")
    .option("--dir <folder>", "map van dit bureau / folder of this desk station", "desk");
  const folder = (): string => resolve(desk.opts<{ dir: string }>().dir);
  addInit(desk, clock, folder, global);
  addHolding(desk, clock, folder, global);
  addDeskHolds(desk, clock, folder, global, parseTarget);
  addSeen(desk, clock, folder, global);
  addOpen(desk, clock, folder);
}

function addInit(
  desk: Command,
  clock: Clock,
  folder: () => string,
  global: () => { json: boolean },
): void {
  desk
    .command("init")
    .description("sleutelceremonie en nieuw bureau / key ceremony and a new desk station")
    .requiredOption("--site <name>", "locatie / site")
    .requiredOption("--person <pseudonym>", "wie hier tekent / who signs here, e.g. p-01")
    .requiredOption("--sign-key <file>", "SSH-sleutel / SSH key to sign with")
    .requiredOption(
      "--vault <folder or file.yaml>",
      "kluis: map, of bestand met vault: / vault: a folder, or a file with vault: in it",
    )
    .requiredOption(
      "--officer <recipient...>",
      "age1… van elke functionaris / age1… of each officer",
    )
    .option("--node <key...>", "publieke sleutel van elke kast / public key of each box", [])
    .option(
      "--demo",
      "één persoon volstaat; nooit voor echte beelden / never for real footage",
      false,
    )
    .option("--policy <name>", "beleid / policy", "den-haag")
    .option("--annex <file>", "annex van een huurder / a tenant's annex")
    .addOption(
      new Option("--kind <kind>", "soort dagsleutel / kind of day key")
        .choices(["pq", "x25519"])
        .default("pq"),
    )
    .option("--from <day>", "eerste dag, anders vandaag / first day, else today")
    .option(
      "--credential <file>",
      "toegang tot de emmer, als de kluis er een is / credential of the bucket, where the vault is one",
    )
    .option("--days <number>", "aantal dagen / number of days", "400")
    .action(async (options: InitOptions) => {
      const days = Number(options.days);
      if (!Number.isInteger(days) || days < 1 || days > 800) {
        throw new BewaardError("DESK_INPUT", "--days: 1 tot / to 800");
      }
      const { initDesk } = await import("../desk/init.ts");
      const { openProgress } = await import("./progress.ts");
      const progress = openProgress("Dagsleutels / day keys", days);
      const config = await configOf(options);
      const from =
        options.from === undefined ? clock.now() : plus(parseDay(options.from), 12 * HOUR_MS);
      const credential = await credentialNamed(options);
      const kind = options.kind;
      const ceremony = { folder: folder(), config, kind, from, days, ...credential };
      await initDesk(clock, ceremony, (day) => progress.update(day), stopSignal());
      progress.end();
      const made = { folder: folder(), days, from: dayOf(from) };
      print(global().json, made, () =>
        [
          made.folder,
          "Breng recipients.txt en desk.signers naar elke kast / take both to every box.",
        ].join("\n"),
      );
    });
}

async function configOf(options: InitOptions): Promise<DeskConfig> {
  return {
    site: options.site,
    demo: options.demo,
    person: typed(parsePersonId, options.person),
    sign_key: resolve(options.signKey),
    ...(await readDeskPlaces(resolve(options.vault))),
    policy: options.policy,
    ...(options.annex === undefined ? {} : { annex: resolve(options.annex) }),
    nodes: options.node,
    officers: options.officer,
  };
}

async function credentialNamed({ credential: path }: InitOptions) {
  if (path === undefined) return {};
  const { readCredentialFile } = await import("../../config/secrets.ts");
  return { credential: await readCredentialFile(resolve(path)) };
}

function addHolding(
  desk: Command,
  clock: Clock,
  folder: () => string,
  global: () => { json: boolean },
): void {
  desk
    .command("hold")
    .description("stel beelden veilig voor een incident / hold footage for an incident")
    .requiredOption("--incident <number>", "incidentnummer / incident number")
    .requiredOption("--purpose <text>", "doel / purpose")
    .requiredOption("--ground <name>", "grond uit het beleid / ground from policy")
    .option("--reference <text>", "kenmerk van aangifte of vordering / its reference")
    .requiredOption("--reason <text>", "reden; verzegeld bewaard / reason; kept sealed")
    .requiredOption("--review <day>", "herzien vóór / review before, e.g. 2027-02-01")
    .requiredOption("--segment <node/id...>", "fragmenten / segments, from `bewaarctl find`")
    .action(async (options: HoldOptions) => {
      const { readRules } = await import("../../config/configuration.ts");
      const { holdFootage } = await import("../desk/hold.ts");
      const { openStation } = await import("../desk/station.ts");
      await using station = await openStation(folder());
      const request = {
        ...options,
        reference: options.reference,
        reviewAt: parseDay(options.review),
        segments: options.segment.map(parseTarget),
      };
      const { policy } = await readRules(namedByDesk(station.config));
      const result = await holdFootage(clock, station, policy, request, stopSignal());
      print(global().json, result, () =>
        [
          result.hold,
          ...result.inForce.map((id) => `${id}  veiliggesteld / held`),
          ...result.asked.map((id) => `${id}  aangevraagd, nog niet veilig / asked, not yet safe`),
          ...(result.failed.length === 0
            ? []
            : [`de kluis weigerde / the vault refused: ${result.failed.join(", ")}`]),
        ].join("\n"),
      );
    });

  desk
    .command("release")
    .description("geef een veiligstelling vrij / release a hold")
    .argument("<hold>", "nummer van de veiligstelling / id of the hold")
    .action(async (hold: string) => {
      const { releaseHold } = await import("../desk/release.ts");
      const { openStation } = await import("../desk/station.ts");
      await using station = await openStation(folder());
      const released = await releaseHold(clock, station, typed(parseHoldId, hold), stopSignal());
      print(global().json, { released }, () =>
        released.map((id) => `${id}  vrijgegeven / released`).join("\n"),
      );
    });
}

function addOpen(desk: Command, clock: Clock, folder: () => string): void {
  desk
    .command("open")
    .description("open beelden naar een speler / open footage into a player: … | ffplay -")
    .argument("<node/id>", "fragment / segment")
    .requiredOption("--purpose <text>", "doel / purpose")
    .requiredOption("--key <file>", "age-sleutel van de functionaris / the officer's age key")
    .option("--from <time>", 'alleen vanaf / only from, "2026-11-22 10:00:30", with --to')
    .option("--to <time>", "alleen tot / only until")
    .addOption(
      new Option("--salvage", "zo ver als het gaat, als het beschadigd is / as far as it goes")
        .default(false)
        .conflicts(["from", "to"]),
    )
    .action(async (text: string, options: OpenOptions) => {
      refuseFile();
      const { openStation } = await import("../desk/station.ts");
      await using station = await openStation(folder());
      const signal = stopSignal();
      const bytes = await opening(clock, station, parseTarget(text), options, signal);
      // A player that is closed has seen enough; what was opened is in the chain.
      await pipeline(bytes, counted, process.stdout, { signal }).catch(hungUp);
    });
}

async function opening(
  clock: Clock,
  station: Station,
  target: Target,
  { purpose, key, from, to, salvage }: OpenOptions,
  signal: AbortSignal,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  if (from !== undefined && to !== undefined) {
    const { openClip } = await import("../desk/clip.ts");
    const window = parseWindow({ from, to });
    return openClip(clock, station, target, window.from, window.to, purpose, key, signal);
  }
  if (from !== undefined || to !== undefined) {
    throw new BewaardError("DESK_INPUT", "--from en --to horen bij elkaar / belong together");
  }
  const { openFootage, salvageFootage } = await import("../desk/open.ts");
  const open = salvage ? salvageFootage : openFootage;
  return told(open(clock, station, target, purpose, key, signal));
}

/** Shows on a terminal how much has passed. */
async function* counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { openCounter } = await import("./progress.ts");
  const progress = openCounter("Geopend / opened");
  try {
    for await (const chunk of bytes) {
      progress.update(chunk.length);
      yield chunk;
    }
  } finally {
    progress.end();
  }
}

/** Says afterwards, beside the footage, what of it was opened. */
async function* told(
  bytes: AsyncGenerator<Uint8Array, Opened, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { sha256, salvaged } = yield* bytes;
  if (salvaged) process.stderr.write(`${shownSalvaged(sha256, salvaged)}\n`);
}

/** Footage is never written in the clear (invariant 2): into a pipe, or not at all. */
function refuseFile(): void {
  if (!process.stdout.isTTY && !fstatSync(1).isFile()) return;
  throw new BewaardError(
    "DESK_FORBIDDEN",
    "stuur de beelden naar een speler, niet naar een bestand of scherm / pipe into a player: … | ffplay -",
  );
}

function parseTarget(text: string): Target {
  const [node, id, ...rest] = text.split("/");
  if (node === undefined || id === undefined || rest.length > 0) {
    const message = `"${text}": schrijf kast/fragment / write node/segment id`;
    throw new BewaardError("DESK_INPUT", message);
  }
  return { node: typed(parseNodeId, node), id: typed(parseSegmentId, id) };
}
