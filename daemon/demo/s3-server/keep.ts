import { randomUUID } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { applyChange } from "./apply-change.ts";
import { type Change, change, type Piece, type State } from "./state.ts";

/** The server's state, and the folder it is kept in. */
export interface Keep extends Disposable {
  readonly state: State;
  /** Makes the change and writes it down, in one go: nobody sees it half. */
  make(change: Change): void;
  /** Path of a new file for bytes. */
  newFile(): string;
  pathOf(piece: Piece): string;
  /** Removes bytes that nothing names any more. */
  discard(pieces: Iterable<Piece>): Promise<void>;
}

/**
 * Opens the folder: reads its journal, forgets a last line that was not finished, removes bytes that nothing
 * names. Survives its process being killed; not a power cut, for nothing here is synced.
 */
export async function openKeep(folder: string): Promise<Keep> {
  const bodies = join(folder, "bodies");
  await mkdir(bodies, { recursive: true });
  const journal = join(folder, "journal");
  const state: State = { buckets: new Map(), uploads: new Map(), completed: new Map() };
  for (const line of await linesOf(journal)) applyChange(state, line);
  await rewrite(journal, state);
  const named = new Set(piecesOf(state).map(({ file }) => file));
  for (const file of await readdir(bodies)) {
    if (!named.has(file)) await rm(join(bodies, file));
  }
  const written = openSync(journal, "a");
  return {
    state,
    make(made) {
      applyChange(state, made);
      writeSync(written, `${JSON.stringify(made)}\n`);
    },
    newFile: () => join(bodies, randomUUID()),
    pathOf: ({ file }) => join(bodies, file),
    async discard(pieces) {
      for (const { file } of pieces) await rm(join(bodies, file), { force: true });
    },
    [Symbol.dispose]: () => closeSync(written),
  };
}

async function linesOf(journal: string): Promise<readonly Change[]> {
  const changes: Change[] = [];
  const text = await readFile(journal, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  // Without its line end the last one was being written when the process ended, and nobody was told it was.
  for (const line of text.split("\n").slice(0, -1)) changes.push(change.parse(JSON.parse(line)));
  return changes;
}

/** The journal grows with every change; at a start it is as long as the state. */
async function rewrite(journal: string, state: State): Promise<void> {
  const lines = [...changesOf(state)].map((made) => `${JSON.stringify(made)}\n`);
  await writeFile(`${journal}.partial`, lines.join(""));
  await rename(`${journal}.partial`, journal);
}

function* changesOf(state: State): Generator<Change> {
  for (const [bucket, { settings, versions }] of state.buckets) {
    yield { kind: "bucket", settings };
    for (const ofKey of versions.values()) {
      for (const version of ofKey.toReversed()) yield { kind: "version", bucket, version };
    }
  }
  for (const { parts, ...upload } of state.uploads.values()) {
    yield { kind: "upload", upload };
    for (const [number, piece] of parts) yield { kind: "part", upload: upload.id, number, piece };
  }
  for (const [upload, etag] of state.completed) yield { kind: "upload gone", upload, etag };
}

function piecesOf(state: State): readonly Piece[] {
  const objects = [...state.buckets.values()].flatMap((bucket) => [...bucket.versions.values()]);
  const parts = [...state.uploads.values()].flatMap((upload) => [...upload.parts.values()]);
  return [...objects.flat().flatMap((version) => version.pieces), ...parts];
}
