import type { Instant } from "#base/time";

// The root helper runs this: nothing from npm in it.

/** The words that a template of a time file may have, in braces. */
const WORDS = ["year", "month", "day", "hour", "minute", "second"] as const;

/**
 * The content of a file that sets a camera's clock: `template` with the moment `at` in it as clocks in
 * `zone` then show, two digits each and four of the year. What is no such word stays as it is.
 * @throws RangeError for a zone that is none.
 */
export function timeFileText(template: string, zone: string, at: Instant): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(at);
  const shown = new Map<string, string>(parts.map(({ type, value }) => [type, value]));
  return WORDS.reduce(
    (text, word) =>
      text.replaceAll(`{${word}}`, (shown.get(word) ?? "").padStart(word === "year" ? 4 : 2, "0")),
    template,
  );
}

/** A profile's template as it goes into an order: with the line ends that its camera reads. */
export function orderTemplate({
  template,
  line_end,
}: {
  readonly template: string;
  readonly line_end: "lf" | "crlf";
}): string {
  return line_end === "crlf" ? template.replaceAll("\n", "\r\n") : template;
}
