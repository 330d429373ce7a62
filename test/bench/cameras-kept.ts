import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeTime } from "ulid";
import { decrypterOf } from "../../storage/seal/small.ts";
import { manifestNames, sealedPath } from "../../storage/spool/incoming.ts";
import { parseManifest, type SegmentManifest } from "../../storage/spool/manifest.ts";
import { frameHashes, walk } from "../peers/frames.ts";
import type { Kept } from "./cameras-sides.ts";

/** Of one camera, in the order of time. */
export interface Stretch {
  readonly segments: readonly Segment[];
}

interface Segment {
  readonly manifest: SegmentManifest;
  /** When its first fragment had come: its id was made then. */
  readonly beganAtMs: number;
  /** When the manifest got its name, in ms since 1970. */
  readonly namedAtMs: number;
}

/** What lies in incoming, by camera. @throws Error where something is missing of what was recorded. */
export async function stretches({ incoming }: Kept): Promise<readonly Stretch[]> {
  const byDevice = new Map<string, Segment[]>();
  for (const name of await manifestNames(incoming)) {
    const path = join(incoming, name.toString("latin1"));
    const manifest = parseManifest(await readFile(path));
    if (manifest.kind !== "segment") throw new Error(`${manifest.kind} of ${manifest.device}`);
    // A rename is the last thing that happens to it, and changes this time.
    const { ctimeMs } = await stat(path);
    const beganAtMs = decodeTime(manifest.id);
    const segments = byDevice.get(manifest.device) ?? [];
    byDevice.set(manifest.device, [...segments, { manifest, beganAtMs, namedAtMs: ctimeMs }]);
  }
  return [...byDevice.values()].map((segments) => ({
    segments: segments.toSorted((a, b) => a.beganAtMs - b.beganAtMs),
  }));
}

/** From the first fragment of each next segment until the manifest of the one before has its name, in ms. */
export function handOverMs({ segments }: Stretch): readonly number[] {
  return segments
    .slice(1)
    .map(({ beganAtMs }, index) => (segments[index]?.namedAtMs ?? Number.NaN) - beganAtMs);
}

/** How many pictures of the film are missing, came twice or are not of it. */
export async function wrongFrames(
  film: readonly string[],
  folder: string,
  { incoming, identity }: Kept,
  { segments }: Stretch,
): Promise<{ readonly frames: number; readonly wrong: number }> {
  const seen: string[] = [];
  const path = join(folder, "opened.mp4");
  for (const { manifest } of segments) {
    const sealed = await readFile(sealedPath(incoming, manifest.id));
    await writeFile(path, await decrypterOf(identity).decrypt(sealed));
    for (const hash of await frameHashes("h264", "-i", path)) seen.push(hash);
  }
  await rm(path);
  const { frames, unknown, lost, doubled } = walk(film, seen);
  return { frames, wrong: unknown + lost + doubled };
}
