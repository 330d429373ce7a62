import { Temporal } from "temporal-polyfill";
import { BewaardError } from "#base/errors";
import { type Instant, instant } from "#base/time";

/** The zone that people in the office live in. */
export const ZONE = "Europe/Amsterdam";

/** When somebody wants footage of, as typed. */
export interface WindowAsked {
  readonly date?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Window {
  readonly from: Instant;
  readonly to: Instant;
  /** True when a time of day was typed that came twice: both are in the window. */
  readonly cameTwice: boolean;
  /** What is odd about these hours, for people. */
  readonly remarks: readonly string[];
}

/**
 * The stretch of time somebody means. A day is the whole Dutch day, 23 or 25 hours where the clock
 * changed; a time that came twice counts as the earlier one where a window begins and as the later
 * one where it ends, so that nothing is missed.
 * @throws BewaardError DESK_INPUT that says what to type.
 */
export function parseWindow({ date, from, to }: WindowAsked): Window {
  if (date === undefined && (from === undefined || to === undefined)) {
    throw typedWrong(
      "noem een dag, of een begin en een einde / name a day, or a begin and an end: --date 2026-11-22, --from … --to …",
    );
  }
  const first = date === undefined ? momentOf(from ?? "") : timeOn(date, from);
  const last = date === undefined ? momentOf(to ?? "") : timeOn(date, to);
  const begin = first.from;
  const end = last.to;
  if (end < begin) {
    throw typedWrong(
      "het einde ligt vóór het begin / the end comes before the begin: night shifts need two days, --from … --to …",
    );
  }
  return {
    from: instant(begin),
    to: instant(end),
    cameTwice: first.cameTwice || last.cameTwice,
    remarks: [...new Set([...first.remarks, ...last.remarks])],
  };
}

/** The beginning of a UTC day, as the desk counts days. @throws BewaardError DESK_INPUT. */
export function parseDay(text: string): Instant {
  return instant(dayOf(text).toZonedDateTime("UTC").epochMilliseconds);
}

/** What one typed moment can mean: from its first millisecond to its last. */
interface Meant {
  readonly from: number;
  readonly to: number;
  readonly cameTwice: boolean;
  readonly remarks: readonly string[];
}

function timeOn(date: string, time: string | undefined): Meant {
  const day = dayOf(date);
  if (time === undefined) return wholeDay(day);
  if (time.trim() === "24:00") return at(day.add({ days: 1 }).toPlainDateTime());
  return understood(time, '"10:00"', () => {
    if (!/^\d{1,2}:\d\d/.test(time.trim())) throw new RangeError("more than a time of day");
    return at(day.toPlainDateTime(Temporal.PlainTime.from(time.trim().padStart(5, "0"))));
  });
}

function momentOf(text: string): Meant {
  const iso = text.trim().replace(" ", "T");
  if (!/[T:]/.test(iso)) return wholeDay(dayOf(iso));
  return understood(text, '"2026-11-22 10:00"', () => {
    if (!/(?:Z|[+-]\d\d:\d\d)$/.test(iso)) return at(known(Temporal.PlainDateTime.from(iso)));
    const zoned = known(Temporal.Instant.from(iso).toZonedDateTimeISO(ZONE));
    const ms = zoned.epochMilliseconds;
    return { from: ms, to: ms, cameTwice: false, remarks: [] };
  });
}

/** A day as ISO writes it, or as people do: `22-11-2026`. */
function dayOf(text: string): Temporal.PlainDate {
  const [, day, month, year] = /^(\d{1,2})-(\d{1,2})-(\d{4})$/.exec(text.trim()) ?? [];
  const iso = year ? `${year}-${month?.padStart(2, "0")}-${day?.padStart(2, "0")}` : text.trim();
  return understood(text, '"2026-11-22"', () => known(Temporal.PlainDate.from(iso)));
}

/** No footage is from before 1971, and no manifest has room for a fifth digit. @throws RangeError. */
function known<T extends { readonly year: number }>(when: T): T {
  if (when.year > 1970 && when.year < 9999) return when;
  throw new RangeError("no year of footage");
}

function wholeDay(day: Temporal.PlainDate): Meant {
  const start = day.toZonedDateTime(ZONE);
  const hours = start.hoursInDay;
  return {
    from: start.epochMilliseconds,
    to: start.add({ days: 1 }).epochMilliseconds - 1,
    cameTwice: false,
    remarks:
      hours === 24
        ? []
        : [`die dag telt ${hours} uur, want de klok ging om / that day has ${hours} hours`],
  };
}

function at(local: Temporal.PlainDateTime): Meant {
  const earlier = local.toZonedDateTime(ZONE, { disambiguation: "earlier" });
  const later = local.toZonedDateTime(ZONE, { disambiguation: "later" });
  const same = earlier.epochMilliseconds === later.epochMilliseconds;
  const cameTwice = !same && earlier.toPlainDateTime().equals(local);
  const time = local.toPlainTime().toString({ smallestUnit: "minute" });
  const remark = cameTwice
    ? `${time} kwam die dag twee keer; beide zijn doorzocht / came twice that day; both were searched`
    : `${time} was er die dag niet / did not exist that day`;
  return {
    from: earlier.epochMilliseconds,
    to: later.epochMilliseconds,
    cameTwice,
    remarks: same ? [] : [remark],
  };
}

function understood<T>(text: string, example: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw typedWrong(`"${text}" is geen tijd / is no time: schrijf / write ${example}`, cause);
  }
}

function typedWrong(message: string, cause?: unknown): BewaardError {
  return new BewaardError("DESK_INPUT", message, { cause });
}
