import assert from "node:assert/strict";

/** One value of a metric. */
export interface Exposed {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HEAD = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads OpenMetrics 1.0 text of gauges, as strictly as its standard says; throws at the first line that is not so.
 * Numbers that are none, timestamps and exemplars are refused: we write none.
 */
export function readOpenMetrics(text: string): readonly Exposed[] {
  assert.ok(text.endsWith("\n# EOF\n"), "ends otherwise");
  const lines = text.slice(0, -"# EOF\n".length - 1).split("\n");
  const found: Exposed[] = [];
  const told = new Map<string, Set<string>>();
  const seen = new Set<string>();
  let family = "";
  for (const line of lines) {
    const [, word = "", name = "", rest = ""] = HEAD.exec(line) ?? [];
    if (word !== "") {
      if (name !== family) assert.ok(!told.has(name), `a family in pieces: ${line}`);
      family = name;
      const words = told.get(name) ?? new Set();
      assert.ok(!words.has(word) && !words.has("a sample"), `comes late: ${line}`);
      told.set(name, words.add(word));
      if (word === "TYPE") assert.equal(rest, "gauge", line);
      else assert.match(rest, /^(?:[^\\"]|\\[\\"n])+$/, line);
      continue;
    }
    const [, of = "", between, number = ""] = SAMPLE.exec(line) ?? [];
    assert.equal(of, family, `a sample of no family before it: ${line}`);
    told.get(family)?.add("a sample");
    assert.match(number, NUMBER, line);
    const labels = labelsOf(between, line);
    const key = JSON.stringify([of, ...Object.entries(labels).map(String).toSorted()]);
    assert.ok(!seen.has(key), `twice: ${line}`);
    seen.add(key);
    found.push({ name: of, labels, value: Number(number) });
  }
  for (const [name, words] of told) assert.ok(words.has("HELP") && words.has("TYPE"), name);
  return found;
}

function labelsOf(between: string | undefined, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  if (between === undefined) return labels;
  assert.notEqual(between, "", line);
  for (let at = 0; at < between.length; ) {
    LABEL.lastIndex = at;
    const match: readonly string[] = LABEL.exec(between) ?? [];
    const [whole = "", name = "", value = "", comma] = match;
    assert.ok(whole !== "" && !Object.hasOwn(labels, name), line);
    at += whole.length;
    assert.equal(comma === ",", at < between.length, line);
    labels[name] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
  }
  return labels;
}
