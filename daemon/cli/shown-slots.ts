import type { SlotNews } from "../control/dock-questions.ts";
import { isFolderSlot } from "../docks/folder-slot.ts";
import type { SlotState } from "../docks/slot-state.ts";
import type { SlotWhy } from "../docks/slot-why.ts";

// What people at a dock read: Dutch first, English beside it.

interface Says {
  readonly nl: string;
  readonly en: string;
}

/** What each reason means to whoever stands there (docs/troubleshooting.md has none of them: they are no errors). */
export const WHY_SAYS: Readonly<Record<SlotWhy, Says>> = {
  unpaired: { nl: "deze camera is hier niet gekoppeld", en: "this camera is not paired here" },
  "same-identity": {
    nl: "twee camera's zijn niet uit elkaar te houden",
    en: "two cameras cannot be told apart",
  },
  "not-one-partition": {
    nl: "de kaart heeft niet precies één deel",
    en: "the card has not just one partition",
  },
  "unknown-file-system": {
    nl: "de kaart is niet FAT32 of exFAT",
    en: "the card is neither FAT32 nor exFAT",
  },
  "too-large": { nl: "een opname is te groot", en: "a recording is too large" },
  "mount-failed": { nl: "de kaart gaat niet open", en: "the card does not open" },
  "no-program": {
    nl: "het programma voor media-apparaten (jmtpfs) ontbreekt op de kast",
    en: "the program for media devices (jmtpfs) is not installed on the box",
  },
  recognising: { nl: "wordt herkend", en: "being recognised" },
  reading: { nl: "wordt gelezen", en: "being read" },
  adopting: { nl: "wordt bijgeschreven", en: "being recorded" },
  "core-away": { nl: "de kast antwoordt nu niet", en: "the box does not answer now" },
  "setting-clock": {
    nl: "de klok van de camera wordt gezet",
    en: "the camera's clock is being set",
  },
  "clock-not-set": {
    nl: "de klok van de camera is niet gezet, meld het beheer",
    en: "the camera's clock was not set, tell an administrator",
  },
  "clock-not-set-now": {
    nl: "de klok van de camera wordt nu niet gezet: die van de kast is niet zeker",
    en: "the camera's clock is not set now: that of the box is not certain",
  },
  "waits-for-vault": {
    nl: "kaart wordt leeg als de kluis alles heeft",
    en: "the card is emptied once the vault has all",
  },
  "waits-for-cable": {
    nl: "kaart wordt leeg als de andere camera's aan deze kabel gelezen zijn",
    en: "the card is emptied once the other cameras on this cable were read",
  },
  wiping: { nl: "kaart wordt geleegd", en: "the card is being emptied" },
  "not-wiped-here": {
    nl: "kaart wordt hier niet geleegd",
    en: "the card is not emptied here",
  },
  "not-wiped-now": {
    nl: "kaart wordt nu niet geleegd: de klok of het logboek is niet zeker",
    en: "the card is not emptied now: clock or ledger are not certain",
  },
  "not-emptied": {
    nl: "kaart wordt nu niet geleegd, roep beheer",
    en: "the card is not emptied now, call an administrator",
  },
  "stays-on-card": {
    nl: "een deel blijft op de kaart tot iemand besluit",
    en: "some of it stays on the card until somebody decides",
  },
  "write-protected": {
    nl: "kaart is beveiligd tegen schrijven en blijft vol",
    en: "the card is write-protected and stays full",
  },
  "card-gone": {
    nl: "de camera zit er nog in, maar toont haar kaart niet meer",
    en: "the camera is still in, but does not show its card any more",
  },
  "no-record": {
    nl: "de camera geeft geen kaart, of de opzet is niet af",
    en: "the camera shows no card, or the installation is not complete",
  },
  "record-differs": {
    nl: "wat over deze kaart gezegd wordt klopt niet",
    en: "what is said of this card is not true",
  },
  "more-than-one-card": {
    nl: "de camera heeft meer dan één kaart",
    en: "the camera has more than one card",
  },
  "profile-unread": {
    nl: "het profiel van dit model is niet te lezen",
    en: "the profile of this model cannot be read",
  },
  "card-unread": {
    nl: "niet alles op de kaart is te lezen",
    en: "not all on the card can be read",
  },
  "file-changes": {
    nl: "een bestand verandert telkens",
    en: "a file changes each time it is read",
  },
  "not-adopted": {
    nl: "de kast neemt een opname niet over",
    en: "the box does not take over a recording",
  },
  "no-room": { nl: "de kast is vol", en: "the box is full" },
  "no-key": { nl: "er is geen dagsleutel", en: "there is no day key" },
  "disk-refuses": { nl: "de kast kan niet schrijven", en: "the box cannot write" },
  "dock-away": {
    nl: "de kast ziet haar slots nu niet",
    en: "the box does not see its slots now",
  },
};

const STATE_SAYS: Readonly<Record<SlotState, Says>> = {
  free: { nl: "slot vrij", en: "slot free" },
  busy: { nl: "bezig, niet verwijderen", en: "busy, do not remove" },
  safe: { nl: "veilig, mag mee", en: "safe, may go" },
  done: { nl: "veilig, leeg, klaar", en: "safe, empty, done" },
  failed: { nl: "niet gelukt, roep beheer", en: "failed, call an administrator" },
};

const UNKNOWN = {
  bytesPerSecond: 0,
  secondsLeft: null,
  hoursFree: null,
  readySince: null,
  readyUptimeMs: null,
} as const;

/** What may be said of a slot while core does not answer: what was true before need not be. */
export function unanswered(before: SlotNews): SlotNews {
  const state = before.state === "free" ? "free" : "busy";
  return { ...before, ...UNKNOWN, state, why: "core-away" };
}

/** A slot that nobody speaks of any more. */
export function vacated(before: SlotNews): SlotNews {
  const nothing = { files: 0, filesDone: 0, bytes: 0, bytesDone: 0 };
  return { ...before, ...UNKNOWN, ...nothing, state: "free", why: null, number: null };
}

/** What a slot says, without its progress. */
export function slotSays({ state, why, hoursFree }: SlotNews): string {
  const says = STATE_SAYS[state];
  const room: Says =
    state !== "safe" || hoursFree === null
      ? { nl: "", en: "" }
      : { nl: ` – nog ${hoursFree} uur ruimte`, en: ` – room for ${hoursFree} more hours` };
  const reason = why === null ? { nl: "", en: "" } : reasonOf(why);
  return `${says.nl}${room.nl}${reason.nl} / ${says.en}${room.en}${reason.en}`;
}

/** What a reason means, in both languages; a word that is none is shown as it is. */
export function whySays(why: string): string {
  const { nl, en } = saysOf(why);
  return nl === en ? nl : `${nl} / ${en}`;
}

function saysOf(why: string): Says {
  const [, says = { nl: why, en: why }] =
    Object.entries(WHY_SAYS).find(([code]) => code === why) ?? [];
  return says;
}

function reasonOf(why: string): Says {
  const { nl, en } = saysOf(why);
  return { nl: `: ${nl}`, en: `: ${en}` };
}

/** One line of a slot, for where no bar can be drawn. */
export function shownSlot(news: SlotNews): string {
  const far =
    news.state === "busy" && news.files > 0
      ? `  ${news.filesDone}/${news.files}${leftOf(news)}`
      : "";
  return `${news.slot}  ${news.number ?? "-"}  ${slotSays(news)}${far}`;
}

/** ` · nog / left 2:05 min`, where it can be told. */
export function leftOf({ secondsLeft }: SlotNews): string {
  if (secondsLeft === null) return "";
  const minutes = Math.floor(secondsLeft / 60);
  const seconds = String(Math.floor(secondsLeft % 60)).padStart(2, "0");
  return ` · nog / left ${minutes}:${seconds} min`;
}

/**
 * The slot whose camera may go and has been ready longest: who is in a hurry takes that one. Not a folder: nothing
 * leaves with a camera there, and it stays ready for ever.
 */
export function firstReady(slots: readonly SlotNews[]): SlotNews | undefined {
  let first: SlotNews | undefined;
  for (const one of slots) {
    if (one.readyUptimeMs === null || isFolderSlot(one.slot)) continue;
    if (one.readyUptimeMs < (first?.readyUptimeMs ?? Infinity)) first = one;
  }
  return first;
}
