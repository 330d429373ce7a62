import type { Dirent, Stats } from "node:fs";
import { lstat, opendir, readdir, statfs } from "node:fs/promises";

/** What lies in a folder, by its name there as bytes. */
export interface Entry {
  readonly name: Buffer;
  readonly kind: "file" | "folder" | "other";
}

// Names come as buffers when asked for, which the types of opendir do not say.
const AS_BYTES = encodingOf("buffer");
/** FUSE, as statfs tells (linux/magic.h). */
const FUSE = 0x65735546;

/** Whether what is mounted at `root` is served by a program: a media device is. */
export async function isServedByProgram(root: string): Promise<boolean> {
  return (await statfs(root)).type === FUSE;
}

/**
 * What lies in `folder`, a piece at a time: it may have more entries than fit in memory. A program tells names alone; then
 * Node would ask for the kind of each itself, and nothing else of this process would go on until a slow device answers.
 */
export async function* entriesIn(
  folder: Buffer,
  isServed: boolean,
): AsyncGenerator<Entry, void, undefined> {
  if (isServed) {
    for (const name of await readdir(folder, { encoding: "buffer" })) {
      const path = Buffer.concat([folder, Buffer.from("/"), name]);
      yield { name: Buffer.from(name), kind: kindOf(await lstat(path)) };
    }
    return;
  }
  for await (const entry of await opendir(folder, { encoding: AS_BYTES }))
    yield { name: nameOf(entry), kind: kindOf(entry) };
}

function kindOf(one: Dirent | Stats): Entry["kind"] {
  if (one.isFile()) return "file";
  return one.isDirectory() ? "folder" : "other";
}

function nameOf(entry: Dirent): Buffer {
  const name: unknown = entry.name;
  return name instanceof Uint8Array ? Buffer.from(name) : Buffer.from(String(name));
}

function encodingOf(name: string): BufferEncoding {
  if (isEncoding(name)) return name;
  throw new TypeError(`not an encoding: ${name}`);
}

function isEncoding(name: string): name is BufferEncoding {
  return name === "buffer" || Buffer.isEncoding(name);
}
