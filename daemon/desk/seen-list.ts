import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseDeviceId, parseNodeId, parsePersonId, parseSha256 } from "#base/ids";
import { type Instant, instant } from "#base/time";
import type { SeenFile } from "../../storage/catalog/seen.ts";
import { canonical } from "../../storage/ledger/canonical.ts";
import { readText } from "../../storage/vault/body.ts";
import { seenKey } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { joinSigned, SIGNATURE } from "./entry.ts";
import { signedBy, signWithSsh } from "./ssh-signature.ts";

// The list of files that boxes have taken from cards, at `desk/seen/<day>` (docs/format.md, "Seen").

/** An older list is not looked for, and is removed: every file of it may have been wiped since. */
export const SEEN_DAYS = 7;
/** So many files at most: about twelve megabytes. What is left out is taken once more, and nothing is lost. */
export const SEEN_FILES = 100_000;
const SEEN_BYTES = 24 * 1024 * 1024;

const branded = (parse: (text: string) => unknown) =>
  z.string().refine((text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  });
const moment = z.int().min(0).transform(instant);

const list = z.strictObject({
  bewaard: z.literal("seen/1"),
  site: z.string(),
  /** UTC day that it is of: it counts under its own key only. */
  day: z.iso.date(),
  by: z.string().transform(parsePersonId),
  boxes: z.array(
    z.strictObject({
      node: branded(parseNodeId),
      /** Camera, hashed path, bytes, time of change, SHA-256, due moment; times in ms. */
      files: z.array(
        z.tuple([
          branded(parseDeviceId),
          z.string().regex(/^[0-9a-f]{32}$/),
          z.int().min(0),
          moment,
          branded(parseSha256),
          moment,
        ]),
      ),
    }),
  ),
});

export interface SeenList {
  readonly site: string;
  readonly day: string;
  readonly by: string;
  readonly files: readonly SeenFile[];
}

/** The object: a line of canonical JSON, and the SSH signature of `by` over it. */
export async function signSeen(
  { site, day, by, files }: SeenList,
  signKey: string,
): Promise<string> {
  const nodes = [...new Set(files.map(({ node }) => node))].toSorted();
  const boxes = nodes.map((node) => ({
    node,
    files: files
      .filter((one) => one.node === node)
      .map((one) => [one.device, one.path, one.bytes, one.modifiedAt, one.sha256, one.dueAt]),
  }));
  const text = canonical({ bewaard: "seen/1", site, day, by, boxes });
  return joinSigned(text, await signWithSsh(signKey, text));
}

/**
 * The list of `day`, or undefined where there is none.
 * @throws BewaardError DESK_TAMPERED when it is not as somebody of this site signed it for that day.
 */
export async function readSeen(
  vault: Vault,
  site: string,
  signersPath: string,
  day: string,
  signal: AbortSignal,
): Promise<SeenList | undefined> {
  const key = seenKey(day);
  // Put once: of several versions the first is the list.
  const [first] = await vault.versions(key);
  if (first === undefined) return undefined;
  if (first.bytes > SEEN_BYTES) throw tampered(day, `has ${first.bytes} bytes`);
  const object = await readText(vault, key, first.versionId, signal);
  const end = object.indexOf("\n");
  const [text, signature] = [object.slice(0, end), object.slice(end + 1)];
  const parsed = end < 0 || !SIGNATURE.test(signature) ? undefined : parsedList(text);
  if (parsed === undefined) throw tampered(day, "has not the form of one");
  if (parsed.site !== site || parsed.day !== day) throw tampered(day, "is of another site or day");
  if (!(await signedBy(signersPath, parsed.by, text, signature)))
    throw tampered(day, "is not signed by somebody this site knows");
  return { site, day, by: parsed.by, files: filesOf(parsed.boxes) };
}

function parsedList(text: string): z.output<typeof list> | undefined {
  try {
    return list.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

function filesOf(boxes: z.output<typeof list>["boxes"]): readonly SeenFile[] {
  return boxes.flatMap(({ node, files }) =>
    files.map(([device, path, bytes, modifiedAt, sha256, dueAt]: SeenTuple) => ({
      node,
      device,
      path,
      bytes,
      modifiedAt,
      sha256,
      dueAt,
    })),
  );
}

type SeenTuple = readonly [string, string, number, Instant, string, Instant];

function tampered(day: string, why: string): BewaardError {
  return new BewaardError("DESK_TAMPERED", `the list of seen files of ${day} ${why}`);
}
