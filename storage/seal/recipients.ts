import { BewaardError } from "#base/errors";
import { DAY_MS, dayOf, type Instant, plus } from "#base/time";

/** `pq`: ML-KEM-768 + X25519 hybrid, the default. `x25519`: for the demo and stock tools before age 1.3. */
export type RecipientKind = "pq" | "x25519";

/** Public day identities by UTC day, in order of day. Holds no secret. */
export type RecipientBook = readonly DayRecipient[];

export interface DayRecipient {
  /** UTC day, `2026-11-22`. */
  readonly day: string;
  /** `age1…` or `age1pq1…`. */
  readonly recipient: string;
}

const POST_QUANTUM = /^age1pq1[02-9ac-hj-np-z]{1900,2100}$/;
const X25519 = /^age1[02-9ac-hj-np-z]{58}$/;

/** @throws BewaardError RECIPIENT_INVALID when `recipient` is no age recipient we seal to. */
function kindOf(recipient: string): RecipientKind {
  if (POST_QUANTUM.test(recipient)) return "pq";
  if (X25519.test(recipient)) return "x25519";
  throw new BewaardError(
    "RECIPIENT_INVALID",
    `not an age recipient: "${recipient.slice(0, 12)}…"; expected age1… or age1pq1…`,
  );
}

/**
 * The one kind of all `recipients`.
 * @throws BewaardError RECIPIENT_MIXED, because one classic recipient would undo the post-quantum ones
 * (age-encryption.org/v1 says SHOULD NOT; the age command refuses it too), RECIPIENT_INVALID for none.
 */
export function oneKind(recipients: readonly string[]): RecipientKind {
  const [first, ...rest] = recipients.map(kindOf);
  if (first === undefined) throw new BewaardError("RECIPIENT_INVALID", "no recipient at all");
  if (rest.some((kind) => kind !== first)) {
    throw new BewaardError(
      "RECIPIENT_MIXED",
      "post-quantum and X25519 recipients may not seal the same file",
    );
  }
  return first;
}

function isRecipient(text: string): boolean {
  return X25519.test(text) || POST_QUANTUM.test(text);
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(`${text}T`);
}

/** Reads lines of `2026-11-22 age1…`; blank lines and `#` comments are skipped. All of one kind. */
export function parseRecipientBook(text: string): RecipientBook {
  const book: DayRecipient[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [day, recipient, ...rest] = line.trim().split(/\s+/);
    if (!day || !recipient || rest.length > 0 || !isDay(day) || !isRecipient(recipient)) {
      throw new BewaardError(
        "RECIPIENT_INVALID",
        `recipients line ${index + 1}: write a UTC day and its recipient, "2026-11-22 age1…"`,
      );
    }
    book.push({ day, recipient });
  }
  oneKind(book.map((entry) => entry.recipient));
  return book.toSorted((a, b) => a.day.localeCompare(b.day));
}

/**
 * The day identity to seal to on `day`: its own, else the next later one, else the last there is –
 * footage is never left unsealed because a ceremony is late.
 */
export function recipientFor(book: RecipientBook, day: string): DayRecipient {
  const found = book.find((entry) => entry.day >= day) ?? book.at(-1);
  if (!found) throw new BewaardError("RECIPIENT_MISSING", "the recipients file has no day in it");
  return found;
}

/** Which of the `count` days from `from` on have no identity of their own. */
export function daysWithout(book: RecipientBook, from: Instant, count: number): readonly string[] {
  const known = new Set(book.map(({ day }) => day));
  const days = Array.from({ length: count }, (_, index) => dayOf(plus(from, index * DAY_MS)));
  return days.filter((day) => !known.has(day));
}
