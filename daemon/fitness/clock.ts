import { BewaardError } from "#base/errors";
import { isoOf } from "#base/time";
import { openLease } from "../../storage/spool/lease.ts";
import { openSpool } from "../../storage/spool/spool.ts";
import { alarmWords } from "../cli/shown-alarms.ts";
import { clockWhy } from "../cli/shown-clock.ts";
import { asker } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { socketPath } from "../places.ts";
import { output } from "./output.ts";
import { fit, type Machine, notFit, type Seen, warning } from "./seen.ts";

/** This was written in 2026: an earlier clock is one whose battery is empty. */
const YEARS = { first: 2026, last: 2100 };

const SYNCHRONISE = {
  nl: "zet chrony aan (apt-get install chrony), met NTS waar het kan",
  en: "run chrony (apt-get install chrony), with NTS where possible",
};

export async function lookAtClock(
  { clock }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  const now = isoOf(clock.now());
  const year = Number(now.slice(0, 4));
  const synchronised = await synchronisedBy(signal);
  return [
    year >= YEARS.first && year < YEARS.last
      ? fit(`het is ${now}`, `it is ${now}`)
      : notFit(
          { nl: `de klok staat op ${now}`, en: `the clock says ${now}` },
          { nl: "zet de klok; vervang de batterij", en: "set the clock; replace its battery" },
        ),
    synchronised === undefined
      ? warning(
          { nl: "niets houdt de klok gelijk", en: "nothing keeps the clock right" },
          SYNCHRONISE,
        )
      : fit(`gelijk gehouden door ${synchronised}`, `kept right by ${synchronised}`),
  ];
}

/** What keeps this machine's clock right, and says so itself. */
async function synchronisedBy(signal: AbortSignal): Promise<string | undefined> {
  const told = await output("timedatectl", ["show", "-p", "NTPSynchronized", "--value"], signal);
  if (told?.trim() === "yes") return "timedatectl";
  const tracking = await output("chronyc", ["-c", "tracking"], signal);
  const leap = tracking?.trim().split(",").at(-1);
  return leap !== undefined && leap !== "" && leap !== "Not synchronised" ? "chrony" : undefined;
}

/** Whether bewaard runs here, and believes the time. */
export async function lookAtTrust(
  { config }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  try {
    const { clock, alarms } = await asker(socketPath(config), signal)("status", {});
    const raised = alarms.filter(({ alarm }) => alarm !== "clock-untrusted").map(alarmed);
    if (clock.trusted)
      return [
        fit(`draait; tijd vertrouwd (${clockWhy(clock.why)})`, "runs; time trusted"),
        ...raised,
      ];
    const says = `tijd NIET vertrouwd: ${clockWhy(clock.why)}`;
    return [
      notFit(
        { nl: `draait; ${says}`, en: `runs; time is not trusted: ${clock.why}` },
        {
          nl: "bewaarctl clock confirm, tot dan wordt niets vernietigd",
          en: "run `bewaarctl clock confirm`: nothing is destroyed until then",
        },
      ),
      ...raised,
    ];
  } catch (error) {
    if (!(error instanceof BewaardError && error.code === "CONTROL_UNREACHABLE")) throw error;
    return [await silent(config)];
  }
}

function alarmed(raised: Result<"status">["alarms"][number]): Seen {
  const { nl, en } = alarmWords(raised);
  return warning(
    { nl: `alarm: ${nl}, sinds ${raised.since}`, en: `alarm: ${en}, since ${raised.since}` },
    {
      nl: `docs/operations.md, Alarms, ${raised.alarm}`,
      en: `see docs/operations.md, Alarms, ${raised.alarm}`,
    },
  );
}

/** Nothing answers: either nothing runs, or what runs is stuck. */
async function silent(config: Machine["config"]): Promise<Seen> {
  if (await leaseIsHeld(config)) {
    return notFit(
      { nl: "er draait een bewaard die niet antwoordt", en: "a bewaard runs that does not answer" },
      { nl: "kijk in het journaal; start opnieuw", en: "look in the journal; restart it" },
    );
  }
  return warning(
    { nl: "er draait geen bewaard", en: "bewaard is not running" },
    { nl: "bewaard run", en: "start it: `bewaard run`" },
  );
}

/** False as well where there is no spool to hold it on, which is told elsewhere. */
async function leaseIsHeld({ spool, node }: Machine["config"]): Promise<boolean> {
  try {
    await using _lease = await openLease(await openSpool(spool.path, node), "core");
    return false;
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return error.code === "LEASE_HELD";
  }
}
