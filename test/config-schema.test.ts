import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { z } from "zod";
import { type FileKind, jsonSchema, SCHEMAS, type Shape } from "../config/shape.ts";
import { bytesText, durationText, parseBytes, parseDurationMs } from "../config/units.ts";
import { GOOD_ANNEX, GOOD_BOX } from "./fakes/configuration.ts";

const KINDS = ["box", "policy", "annex", "profile", "desk"] as const satisfies readonly FileKind[];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

const desk = {
  site: "den-haag",
  demo: false,
  person: "p-01",
  sign_key: "/keys/sign-key",
  vault: { directory: "/mnt/nas" },
  policy: "arnhem",
  nodes: [],
  officers: ["age1…"],
};

/** Everything that is shipped or shown, by kind. */
async function examples(): Promise<readonly (readonly [FileKind, string, unknown])[]> {
  const found: [FileKind, string, unknown][] = [
    ["box", "the tests' box", GOOD_BOX],
    ["annex", "the tests' annex", GOOD_ANNEX],
    ["desk", "the tests' desk", desk],
  ];
  for (const [kind, folder] of [
    ["policy", "policies"],
    ["profile", "profiles"],
  ] as const) {
    for (const name of await readdir(`${ROOT}/config/${folder}`)) {
      found.push([kind, name, parse(await readFile(`${ROOT}/config/${folder}/${name}`, "utf8"))]);
    }
  }
  const readme = await readFile(`${ROOT}/README.md`, "utf8");
  const [, yaml] = /```yaml\n([^]*?)```/.exec(readme) ?? [];
  found.push(["box", "README.md", parse(yaml ?? "")]);
  const operations = await readFile(`${ROOT}/docs/operations.md`, "utf8");
  const [, heredoc] = /<<END\n([^]*?)\nEND/.exec(operations) ?? [];
  const filled = (heredoc ?? "")
    .replaceAll("$SITE", "/home/x")
    .replaceAll("$(date +%F)", "2026-11-22");
  found.push(["box", "operations.md", parse(filled)]);
  return found;
}

const ajv = new Ajv({ keywords: ["x-unit", "x-personal"], formats: { date: true } });
for (const kind of KINDS) ajv.addSchema(jsonSchema(kind), kind);

function accepts(kind: FileKind, value: unknown): boolean {
  return ajv.validate(kind, value);
}

/** Every key that people write, dotted. */
function keysOf(shape: Shape | undefined, path: string): readonly string[] {
  const inner = shape?.items ?? shape;
  return Object.entries(inner?.properties ?? {}).flatMap(([key, one]) => {
    const here = `${path}${key}`;
    const below = keysOf(one, one.items ? `${here}[].` : `${here}.`);
    return below.length > 0 ? below : [here];
  });
}

describe("the JSON Schema that editors get", () => {
  it("takes every shipped file and every example, as bewaard does", async () => {
    const all = await examples();
    assert.ok(all.length >= 9);
    for (const [kind, name, value] of all) {
      assert.ok(SCHEMAS[kind].safeParse(value).success, name);
      assert.ok(accepts(kind, value), name);
    }
  });

  it("refuses an unknown key wherever bewaard does, and a key that is missing", async () => {
    for (const [kind, name, value] of await examples()) {
      const whole = z.record(z.string(), z.json()).parse(value);
      assert.equal(accepts(kind, { ...whole, elders: 1 }), false, name);
      for (const [key, part] of Object.entries(whole)) {
        if (typeof part === "object" && part !== null && !Array.isArray(part)) {
          const wrong = { ...whole, [key]: { ...part, elders: 1 } };
          assert.equal(SCHEMAS[kind].safeParse(wrong).success, false, `${name}: ${key}`);
          assert.equal(accepts(kind, wrong), false, `${name}: ${key}`);
        }
        const { [key]: _, ...less } = whole;
        // Where a rule over several keys refuses too, only bewaard knows.
        if (accepts(kind, less)) continue;
        assert.equal(SCHEMAS[kind].safeParse(less).success, false, `${name}: without ${key}`);
      }
    }
  });

  it("describes each key", () => {
    for (const kind of KINDS) {
      for (const path of keysOf(jsonSchema(kind), "")) {
        const keys = path.replaceAll("[]", "").split(".");
        let here: Shape | undefined = jsonSchema(kind);
        for (const key of keys) here = (here?.items ?? here)?.properties?.[key];
        assert.match(here?.description ?? "", /\.$/, `${kind}: ${path}`);
      }
    }
  });
});

describe("docs/configuration.md", () => {
  it("has every key of every file, and none that is gone", async () => {
    const text = await readFile(`${ROOT}/docs/configuration.md`, "utf8");
    const sections = text.split("\n## ");
    const heads = ["The box", "The policy", "The annex", "A camera profile", "The desk"];
    for (const [index, kind] of KINDS.entries()) {
      const section = sections.find((one) => one.startsWith(heads[index] ?? "?")) ?? "";
      const told = [
        ...section.matchAll(/^\| `([^`]+)` \|.* (?:keys|list) \|.*below \|$|^\| `([^`]+)` \|/gm),
      ].map(([, parent, leaf]) => leaf ?? parent ?? "");
      const keys = keysOf(jsonSchema(kind), "");
      assert.ok(keys.length > 4);
      for (const key of keys) assert.ok(told.includes(key), `${kind}: ${key} is not in it`);
      for (const key of told) {
        assert.ok(
          keys.some((one) => one === key || one.startsWith(`${key}.`) || one.startsWith(`${key}[`)),
          `${kind}: ${key} is gone`,
        );
      }
    }
  });
});

describe("a size and a time", () => {
  it("are written so that they read back as the same", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 * 366 * 24 }),
        fc.integer({ min: 1, max: 4_000_000 }),
        (hours, megabytes) => {
          assert.equal(parseDurationMs(durationText(hours * 3_600_000)), hours * 3_600_000);
          assert.equal(parseBytes(bytesText(megabytes * 1e6)), megabytes * 1e6);
        },
      ),
    );
  });
});
