import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Carried } from "./carried.ts";

const HEAD = `bewaard is made by its authors and comes to you under the European Union Public Licence 1.2 (EUPL-1.2), whose text is below.

With it comes what others made, in /usr/lib/bewaard/node_modules, each under its own licence: first the list, then the texts, each once.
The terms of the Apache License 2.0, which many of them chose, are in /usr/share/common-licenses/Apache-2.0.
`;

/** Who made what is in the package, and on which terms. Throws where one of them does not say. */
export async function copyright(top: string, carried: readonly Carried[]): Promise<string> {
  const own = await readFile(join(top, "LICENSE"), "utf8");
  const texts = new Map<string, string[]>();
  const list: string[] = [];
  for (const one of carried) {
    const said = await licenceTexts(join(top, one.path));
    if (one.licence === undefined && said.length === 0)
      throw new Error(`${one.path} says no licence`);
    const name = `${one.name} ${one.version}`;
    list.push(`${name}: ${one.licence ?? "see its text"}`);
    for (const text of said) texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  const others = [...texts].map(([text, names]) => part([...new Set(names)].join(", "), text));
  return [HEAD, ...new Set(list), part("bewaard", own), ...others].join("\n");
}

function part(names: string, text: string): string {
  return `\n${"=".repeat(78)}\n${names}\n${"=".repeat(78)}\n\n${text.trim()}\n`;
}

async function licenceTexts(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  const said = names.filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name)).toSorted();
  const texts = await Promise.all(said.map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => text.replaceAll(APACHE, APACHE_IS_IN));
}

// Debian has it on every machine, and wants no second copy.
const APACHE =
  /^ *Apache License\n *Version 2\.0, January 2004\n[^]*?(?:END OF TERMS AND CONDITIONS|$(?![^]))/gm;
const APACHE_IS_IN = "Apache License 2.0: /usr/share/common-licenses/Apache-2.0";
