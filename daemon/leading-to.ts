import { realpath } from "node:fs/promises";
import { dirname } from "node:path";

/** The folders above `path`, nearest first, and those above what a link in it leads to: who may not pass one does not come to it. */
export async function leadingTo(path: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const one of [path, await realpath(path)])
    for (let at = dirname(one); at !== "/"; at = dirname(at)) found.add(at);
  return [...found];
}
