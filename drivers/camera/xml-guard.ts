import { BewaardError } from "#base/errors";

/** An honest answer nests a dozen deep. What builds a tree of it does not mind a hundred thousand. */
const DEPTH_LIMIT = 64;
const TAG_LIMIT = 20_000;

/** One piece of markup. Quoted values count as whole, so that a `>` in one does not end its tag. */
const MARKUP =
  /<(?:!--[^]*?-->|!\[CDATA\[[^]*?\]\]>|\?[^]*?\?>|(\/?)[^\s"'<>/!?][^"'<>]*(?:(?:"[^"]*"|'[^']*')[^"'<>]*)*>)/y;

/**
 * Looks over XML that a stranger wrote before anything parses it, in one pass: no DTD and so no entities
 * of its own, at most 64 levels, at most 20,000 tags.
 * @throws BewaardError CAMERA_STREAM for anything else.
 */
export function guardXml(xml: string): void {
  let depth = 0;
  let tags = 0;
  for (let at = xml.indexOf("<"); at >= 0; at = xml.indexOf("<", MARKUP.lastIndex)) {
    MARKUP.lastIndex = at;
    const [markup, slash] = MARKUP.exec(xml) ?? [];
    if (markup === undefined) throw refused("is no plain XML, or has a DTD");
    // Comments and the like nest nothing.
    if (slash !== undefined && !markup.endsWith("/>")) depth += slash === "/" ? -1 : 1;
    tags += 1;
    if (depth < 0 || depth > DEPTH_LIMIT || tags > TAG_LIMIT)
      throw refused("is nested too deep, or wrongly, or has no end");
  }
}

function refused(why: string): BewaardError {
  return new BewaardError("CAMERA_STREAM", `its answer ${why}`);
}
