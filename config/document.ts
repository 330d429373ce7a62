import { type Document, isAlias, isMap, isNode, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { advice, adviceOnKey, adviceOnYaml, adviceWithValue } from "./advice.ts";
import type { Mistake } from "./mistake.ts";

/** A file as it was read: its value where it has no mistake, and where things stand in it. */
export interface Read<T> {
  readonly file: string;
  /** Undefined when there are mistakes. */
  readonly value: T | undefined;
  /** As written, whatever is wrong with it; undefined when it is no YAML. */
  readonly raw: unknown;
  readonly mistakes: readonly Mistake[];
  /** A mistake at the value of `path`, or at the nearest thing around it that is there. */
  mistake(path: readonly PropertyKey[], what: string, code?: Mistake["code"]): Mistake;
}

/** A thousand cameras fit. Also what the text of a bomb may cost: some seconds. */
const LIMIT_CHARACTERS = 128 * 1024;
/** Aliases may stand for at most this many copies of what they name: a bomb is refused, a shorthand not. */
const MAX_ALIASES = 50;

/** Reads `text` by `schema`, with every mistake at once. Throws for no text whatever. */
export function readDocument<Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
): Read<z.output<Schema>> {
  const lines = new LineCounter();
  // Without pretty errors: those show the line itself, and a secret may stand in it.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
  });
  const at = (offset: number, where: string, what: string, code?: Mistake["code"]): Mistake => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    const place = { line: Math.max(1, line), column: Math.max(1, col) };
    return { code: code ?? "CONFIG_INVALID", file, ...place, where, what };
  };
  const mistake: Read<unknown>["mistake"] = (path, what, code) =>
    at(offsetOf(document, path), path.map(String).join("."), what, code);

  const unread = (mistakes: readonly Mistake[]): Read<never> => ({
    file,
    value: undefined,
    raw: undefined,
    mistakes,
    mistake,
  });
  if (text.length > LIMIT_CHARACTERS) {
    return unread([at(0, "", "larger than 128 KiB: is it this file?")]);
  }
  const faults = [...document.errors, ...document.warnings];
  const broken = faults.map(({ code, pos }) => at(pos[0], "", adviceOnYaml(code)));
  if (!faults.every(({ code }) => READABLE.has(code))) return unread(broken);
  const raw = valueOf(document);
  if (raw === TOO_MANY_ALIASES) {
    const what = "not YAML: an alias (*name) that nothing is named for, or too many of them";
    return unread([...broken, at(firstAlias(document), "", what)]);
  }
  const parsed = schema.safeParse(raw, { error: advice });
  const wrong = (parsed.error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => mistake([...issue.path, key], adviceOnKey(schema, issue.path, key)))
      : [mistake(issue.path, adviceWithValue(issue, valueAt(raw, issue.path)))],
  );
  const mistakes = [...broken, ...wrong];
  return { file, value: mistakes.length > 0 ? undefined : parsed.data, raw, mistakes, mistake };
}

/** Faults after which what was read still means something: the rest is looked at too. */
const READABLE: ReadonlySet<string> = new Set(["DUPLICATE_KEY", "TAG_RESOLVE_FAILED"]);

const TOO_MANY_ALIASES = Symbol("too many aliases");

function valueOf(document: Document): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return value;
  } catch (error) {
    if (error instanceof ReferenceError) return TOO_MANY_ALIASES;
    throw error;
  }
}

function firstAlias(document: Document): number {
  let first = 0;
  visit(document, {
    Alias(_, alias) {
      first = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return first;
}

/** Where the key at `path` stands, else its value, else the nearest thing around it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent: unknown = document.getIn(path.slice(0, depth - 1), true);
    const last = path[depth - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isNode(key) && "value" in key && key.value === last)
      : undefined;
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && !isAlias(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === "object" && here !== null && Object.hasOwn(here, key)
        ? Reflect.get(here, key)
        : undefined,
    value,
  );
}
