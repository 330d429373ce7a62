import { isDeepStrictEqual } from "node:util";
import { BewaardError } from "#base/errors";
import { type Instant, isoOf } from "#base/time";
import { readBox } from "../../config/load.ts";
import { QUESTIONS } from "./questions.ts";

/** What a configuration is kept as that another takes the place of. */
export function nameBefore(path: string, at: Instant): string {
  return `${path}.before-${isoOf(at).replaceAll(/[-:]/g, "")}`;
}

/** A configuration as it stands there, whatever is wrong with it; undefined where there is none, or no YAML. */
export async function writtenIn(path: string): Promise<unknown> {
  try {
    return (await readBox(path)).raw;
  } catch (error) {
    // What cannot be read has no keys to name, and may well be why it is replaced.
    if (error instanceof BewaardError) return undefined;
    throw error;
  }
}

/**
 * Keys of a configuration that the one after it has not, or has otherwise though setup asks for no such thing. Lists are
 * named as a whole.
 */
export function goneFrom(before: unknown, after: unknown): readonly string[] {
  const asked = new Set(QUESTIONS.map(({ path }) => path.join(".")));
  return below(before, after, "");

  function below(old: unknown, now: unknown, key: string): readonly string[] {
    if (isDeepStrictEqual(old, now)) return [];
    if (isRecord(old) && (isRecord(now) || key === ""))
      return Object.entries(old).flatMap(([name, value]) =>
        below(value, isRecord(now) ? now[name] : undefined, key === "" ? name : `${key}.${name}`),
      );
    return key === "" || (now !== undefined && asked.has(key)) ? [] : [key];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
