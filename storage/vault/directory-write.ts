import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory, writeDurably } from "#base/durable";
import { openPartDigests } from "../seal/part-digests.ts";
import { agrees, readThrough, sameDigests } from "./body.ts";
import type { ObjectBody, ObjectFacts } from "./vault.ts";

/** Prepares one whole version in `folder`: its facts, its hold, its bytes, all durable and read back. */
export async function writeVersion(
  folder: string,
  key: string,
  body: ObjectBody,
  facts: ObjectFacts,
  held: boolean,
  signal: AbortSignal,
): Promise<void> {
  // Not recursive: a vault that went away is not made anew in its mount point.
  await mkdir(dirname(folder));
  await mkdir(folder);
  // The key first: whoever finds the unfinished write must know what it was.
  await writeDurably(join(folder, "facts.json"), JSON.stringify({ key, facts }), 0o600);
  if (held) await writeDurably(join(folder, "held"), "", 0o600);
  await copyBody(body, join(folder, "body"), key, signal);
  await syncDirectory(folder);
  await syncDirectory(dirname(folder));
  await agrees(readThrough(join(folder, "body"), body.bytes), body, key);
}

async function copyBody(
  body: ObjectBody,
  path: string,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, "wx", 0o400);
  const digests = openPartDigests();
  for await (const chunk of body.open()) {
    signal.throwIfAborted();
    digests.update(chunk);
    await file.writeFile(chunk);
  }
  sameDigests(digests.finish(), body, key);
  await file.sync();
}
