import type { Command } from "commander";
import type { Clock } from "#base/time";
import { placeName, slug } from "../../config/values.ts";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { addBodycamTry } from "./bodycam-try.ts";
import { addMarkCommands } from "./mark-commands.ts";
import { print, typed } from "./program.ts";
import { localTime } from "./shown.ts";
import { shownLooks } from "./shown-looks.ts";
import { parseNumber } from "./typed-number.ts";
import { parseProfile } from "./typed-profile.ts";
import { parseRole } from "./typed-role.ts";

/** `bewaarctl bodycams …`: which physical camera each number is. */
export function addBodycamCommands(
  program: Command,
  clock: Clock,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  const bodycams = program
    .command("bodycams")
    .description("welke bodycam welke is / which bodycam is which");
  bodycams
    .command("list")
    .description("welke gekoppeld zijn / which are paired")
    .action(async () => {
      const known = await (await askBox())("bodycams", {});
      print(global().json, known, () => shownBodycams(known));
    });
  addPair(bodycams, askBox, global);
  addRetire(bodycams, askBox, global);
  addMarkCommands(bodycams, askBox, global);
  addBodycamTry(bodycams, clock, global);
}

interface PairOptions {
  slot: string;
  profile: string;
  by: string;
  place?: string;
}

function addPair(
  bodycams: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  bodycams
    .command("pair")
    .description(
      "koppel een nummer aan de bodycam in een slot; ook als haar kaart of profiel een ander is / make a number the bodycam in a slot; again when its card or profile is another",
    )
    .argument("<number>", "cameranummer / camera number: bc-0101")
    .requiredOption("--slot <slot>", "waar zij staat / where it is, from `bewaarctl docks list`")
    .requiredOption("--profile <name>", "profiel van dit model / profile of this model")
    .requiredOption("--by <role>", "wie koppelt, als rol / who pairs, as a role")
    .option("--place <text>", "waar zij gebruikt wordt / where it is used: Centrum")
    .action(async (number: string, options: PairOptions) => {
      const paired = await (await askBox())("bodycams.pair", {
        number: typed(parseNumber, number),
        slot: options.slot,
        profile: typed(parseProfile, options.profile),
        by: typed(parseRole, options.by),
        ...(options.place === undefined ? {} : { place: typed(parsePlace, options.place) }),
      });
      print(global().json, paired, () =>
        [
          `${paired.number}  ${shownLooks(paired)}`,
          `    slot ${paired.slot}: ${CHANGED[paired.changed]}`,
          ...AND_NOW[paired.changed],
        ].join("\n"),
      );
    });
}

function addRetire(
  bodycams: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  bodycams
    .command("retire")
    .description(
      "beëindig een koppeling: zij wordt niet meer gelezen / end a pairing: it is not read any more",
    )
    .argument("<number>", "cameranummer / camera number: bc-0101")
    .requiredOption("--by <role>", "wie dat beslist, als rol / who decides so, as a role")
    .requiredOption("--reason <word>", "waarom, in een woord / why, in a word: defect, verloren")
    .action(async (number: string, options: { by: string; reason: string }) => {
      const done = await (await askBox())("bodycams.retire", {
        number: typed(parseNumber, number),
        by: typed(parseRole, options.by),
        reason: typed(parseReason, options.reason),
      });
      print(global().json, done, () => `${done.retired}  ontkoppeld / retired`);
    });
}

/** The root helper looks again at what it did not know: nobody has to put it in again (systemd/look-again.sh). */
const READ_NOW = [
  "    zij wordt binnen een minuut gelezen, in dit slot en voortaan in elk; zo niet, zet haar er opnieuw in",
  "    / it is read within a minute, here and from now on in any slot; if not, dock it again",
];

const AND_NOW: Readonly<Record<Result<"bodycams.pair">["changed"], readonly string[]>> = {
  paired: READ_NOW,
  volume: READ_NOW,
  // One that is being read keeps the profile that it was read by.
  profile: [
    "    het telt als zij weer in een slot komt / it counts when it is docked the next time",
  ],
  nothing: [],
};

const CHANGED: Readonly<Record<Result<"bodycams.pair">["changed"], string>> = {
  paired: "gekoppeld / paired",
  volume:
    "dezelfde bodycam met een andere kaart, of geformatteerd / same bodycam, another card, or formatted",
  profile: "ander profiel / another profile",
  nothing: "was al zo / was so already",
};

function shownBodycams({ bodycams, configured }: Result<"bodycams">): string {
  const lines = [
    ...bodycams.map((one) =>
      [
        `${one.number}  ${shownLooks(one)}`,
        `    ${one.retiredAt === null ? placeOf(one) : `ontkoppeld sinds / retired since ${localTime(one.retiredAt)}`}`,
        `    ${one.place === null ? "" : `${one.place}; `}profiel / profile ${one.profile}, gekoppeld / paired ${localTime(one.pairedAt)} door / by ${one.pairedBy}`,
      ].join("\n"),
    ),
    ...configured.map(
      ({ number, folder, profile }) =>
        `${number}  map / folder ${folder}\n    profiel / profile ${profile}, uit de configuratie / from the configuration`,
    ),
  ];
  return lines.length === 0 ? "geen bodycams / no bodycams" : lines.join("\n");
}

function placeOf({ slot, seenAt }: Result<"bodycams">["bodycams"][number]): string {
  return slot === null
    ? `niet hier; laatst gezien / not here; last seen ${localTime(seenAt)}`
    : `in slot ${slot}`;
}

/** @throws RangeError for a place that nobody could have. */
function parsePlace(text: string): string {
  const { success, data } = placeName.safeParse(text);
  if (success) return data;
  throw new RangeError("1 tot / to 100 tekens / characters");
}

/** @throws RangeError for what is no word. */
function parseReason(text: string): string {
  const { success, data } = slug.safeParse(text);
  if (success) return data;
  throw new RangeError("een woord in kleine letters / a word in small letters: defect");
}
