import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const DOCS = new URL("../../docs/", import.meta.url);

/**
 * What a section of a page of docs/ has in blocks of one kind, in order. Commands that are typed as they stand are in blocks of `sh`; what
 * needs something of a person's own is in a block of another kind.
 */
export async function blocksOf(
  name: string,
  section: string,
  kind: "sh" | "yaml" = "sh",
): Promise<readonly string[]> {
  const page = await readFile(new URL(name, DOCS), "utf8");
  const from = page.indexOf(`\n## ${section}\n`);
  const [text = ""] = page.slice(from + 1).split(/\n(?=## )/);
  const blocks = [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, of, block = ""]) =>
    of === kind ? [block] : [],
  );
  assert.ok(from >= 0 && blocks.length > 0, `${name}: ${section}`);
  return blocks;
}
