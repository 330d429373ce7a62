import { closest, distance } from "fastest-levenshtein";
import type { YAMLError } from "yaml";
import type { z } from "zod";
import { shapeAt, shapeOf } from "./shape.ts";

/** What zod says, in words of what to write. Messages of our own schemas come before these. */
export function advice(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return `write ${WRITE[issue.expected] ?? "something else"}`;
  if (issue.code === "invalid_value") return `write one of: ${issue.values.join(", ")}`;
  if (issue.code === "invalid_key") return issue.issues[0]?.message;
  if (issue.code === "too_small") return `at least ${issue.minimum}`;
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  return undefined;
}

const WRITE: Readonly<Record<string, string>> = {
  string: "a text",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
  array: "a list: [ … ]",
  object: "keys with values: { key: value }",
};

/** The message of a mistake, with the word that was probably meant, or with the news that it is not there. */
export function adviceWithValue(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return `is missing: ${issue.message}`;
  const near =
    issue.code === "invalid_value" && typeof value === "string"
      ? nearest(value, issue.values.map(String))
      : undefined;
  return near === undefined ? issue.message : `${issue.message}; did you mean "${near}"?`;
}

/** What to write in place of a key that nobody foresaw at `path`. */
export function adviceOnKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const keys = Object.keys(shapeAt(shapeOf(schema), path)?.properties ?? {});
  const near = nearest(key, keys);
  if (near !== undefined) return `no such key; did you mean "${near}"?`;
  return keys.length === 0 ? "no such key" : `no such key; there are: ${keys.join(", ")}`;
}

/** The one of `words` that `word` was probably meant to be: at most a third of its letters differ. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  // A long text is no slip of the pen, and comparing it costs its length.
  if (words.length === 0 || word.length > 64) return undefined;
  const near = closest(word, words);
  return distance(word, near) <= Math.max(1, Math.floor(near.length / 3)) ? near : undefined;
}

/** What is wrong with a text that is no YAML. In our words: the library's may show what stands there. */
export function adviceOnYaml(code: YAMLError["code"]): string {
  return `not YAML: ${YAML[code] ?? "this cannot stand here"}`;
}

const YAML: Partial<Readonly<Record<YAMLError["code"], string>>> = {
  BAD_COLLECTION_TYPE: "this mark (!…) does not go with what follows",
  BAD_DIRECTIVE: "leave out the line that begins with %",
  BAD_DQ_ESCAPE: "a \\ between double quotes: write \\\\, or use single quotes",
  BAD_INDENT: "indented otherwise than the lines around it, or a [ or { is not closed",
  BAD_SCALAR_START: "put a text that begins with this sign between quotes",
  BLOCK_AS_IMPLICIT_KEY: "two keys on one line: put a text with ': ' in it between quotes",
  BLOCK_IN_FLOW: "between [ ] or { } write everything in that form",
  DUPLICATE_KEY: "this key stands here twice: leave one out",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "a sign is missing here: a comma, a colon, a quote, a ] or a }",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line",
  MULTIPLE_DOCS: "one document a file: leave out the line ---",
  NON_STRING_KEY: "a key is a plain word",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab: indent with spaces",
  TAG_RESOLVE_FAILED: "leave out the mark that begins with !",
};
