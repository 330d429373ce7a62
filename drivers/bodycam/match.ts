import { readdir } from "node:fs/promises";
import { systemCode } from "#base/errors";
import type { CardFile } from "./card.ts";
import { type CameraProfile, globbing } from "./profile.ts";

/** How a card of a model is recognised (`match` in its profile). */
export interface Match {
  /** Vendor and product, `0b6a:1234`: one of them. */
  readonly usb: readonly string[];
  /** Regular expression. */
  readonly volume_label: string | null;
  /** Globs of what lies on the card: one of them. */
  readonly markers: readonly string[];
}

/** What is known of a card. Undefined where it could not be looked at; that decides nothing. */
export interface SeenCard {
  readonly usb: string | undefined;
  readonly label: string | undefined;
  /** Names at its root: the folders of an empty card tell what it is of. */
  readonly names: readonly Buffer[];
  readonly files: readonly CardFile[];
}

/** One thing that `match` names, and whether it is so; `unseen` where it could not be looked at. */
export interface Judged {
  readonly by: "usb" | "volume_label" | "markers" | "media";
  readonly is: "so" | "not so" | "unseen";
}

/**
 * Each thing by which a profile knows its cards. One that names nothing in `match` knows them by what its
 * recordings are called.
 */
export function judgeMatch(
  { match, media }: Pick<CameraProfile, "media"> & { readonly match: Match },
  { usb, label, names, files }: SeenCard,
): readonly Judged[] {
  const { usb: ids, volume_label, markers } = match;
  const judged: Judged[] = [];
  const judge = (by: Judged["by"], so: boolean | undefined): void => {
    judged.push({ by, is: so === undefined ? "unseen" : so ? "so" : "not so" });
  };
  const paths = files.map(({ path }) => path);
  if (ids.length > 0) judge("usb", usb === undefined ? undefined : ids.includes(usb));
  if (volume_label !== null) {
    const pattern = new RegExp(volume_label, "u");
    judge("volume_label", label === undefined ? undefined : pattern.test(label));
  }
  if (markers.length > 0) judge("markers", [...names, ...paths].some(globbing(markers)));
  if (judged.length === 0) judge("media", paths.some(globbing(media)));
  return judged;
}

/** A profile matches when something speaks for it and nothing against. */
export function matches(judged: readonly Judged[]): boolean {
  return judged.some(({ is }) => is === "so") && judged.every(({ is }) => is !== "not so");
}

/** Names at the root of a card; none when it cannot be read. */
export async function rootNames(root: string): Promise<readonly Buffer[]> {
  try {
    return await readdir(root, { encoding: "buffer" });
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
