import type { AlarmName } from "../alarms/alarm.ts";
import type { Result } from "../control/protocol.ts";

type Raised = Pick<Result<"status">["alarms"][number], "alarm" | "about">;

/** In the words of an office. */
const WORDS: Readonly<Record<AlarmName, readonly [nl: string, en: string]>> = {
  "backup-old": ["geen back-up van de catalogus", "no backup of the catalog"],
  "bodycam-away": ["te lang niet gedockt", "not docked for too long"],
  "breaches-last": ["beelden over hun termijn", "footage past its term"],
  "checkpoint-missed": ["logboek komt niet naar buiten", "the ledger does not leave the box"],
  "clock-untrusted": ["tijd niet vertrouwd", "time not trusted"],
  "desk-unreadable": ["bureau niet te lezen", "desk not readable"],
  "disk-left": ["schijf binnenkort vol", "disk full soon"],
  "held-nowhere": ["veiliggesteld, en nergens meer", "held, and nowhere any more"],
  "not-recording": ["neemt niet op", "not recording"],
  "root-session": ["iemand is als root aangemeld", "somebody is logged in as root"],
  "upload-late": [
    "beelden wachten te lang op de kluis",
    "footage waits for the vault for too long",
  ],
  "vault-outside": ["kluis misschien buiten de EER", "the vault may be outside the EEA"],
};

const KNOWN = new Map<string, readonly [nl: string, en: string]>(Object.entries(WORDS));

/** One alarm, in both languages. One that a newer core knows is called by its name. */
export function alarmWords({ alarm, about }: Raised): { readonly nl: string; readonly en: string } {
  const [nl, en] = KNOWN.get(alarm) ?? [alarm, alarm];
  // What is about the box names nothing; which session is nobody's business.
  const whose = about === "" || alarm === "root-session" ? "" : `${about} `;
  return { nl: `${whose}${nl}`, en: `${whose}${en}` };
}
