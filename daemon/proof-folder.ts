import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { isoOf } from "#base/time";
import { type Claim, checkProofs, type ProofFiles } from "../storage/ledger/check-proof.ts";
import type { VerifierKey } from "../storage/ledger/note.ts";
import { checkTimestamp } from "./openssl-timestamp.ts";

const PROCEDURE = new URL("../docs/ledger.md", import.meta.url);
const README = new URL("../docs/proof-readme.txt", import.meta.url);

/** No file of a proof is larger: an entry names at most 10,000 segments. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;
/** A segment has a dozen facts at most, of four files each. */
const FILES_LIMIT = 1000;

/**
 * Writes what core proved into `folder`, which must be new, with how to check it without bewaard.
 * @throws BewaardError PROOF_INVALID when the folder is there already, or cannot be made.
 */
export async function writeProofFolder(
  folder: string,
  files: readonly { readonly name: string; readonly content: string }[],
): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    throw new BewaardError("PROOF_INVALID", `${folder}: no new folder (${systemCode(cause)})`, {
      cause,
    });
  }
  for (const { name, content } of files)
    await writeFile(join(folder, name), Buffer.from(content, "base64"), { flag: "wx" });
  await writeFile(join(folder, "LEESMIJ-README.txt"), await readFile(README));
  await writeFile(join(folder, "ledger.md"), await readFile(PROCEDURE));
}

/**
 * Checks a proof folder, or the one proof at `path`, under `key`, with no box at all. A timestamp is checked,
 * and must be there, when `authorities` says whose.
 * @throws BewaardError PROOF_INVALID when there is no proof in it, or what no proof has.
 */
export async function checkProofFolder(
  path: string,
  key: VerifierKey,
  authorities: string | undefined,
  signal: AbortSignal,
): Promise<readonly Claim[]> {
  const files = await proofFilesAt(path);
  const claims = [...checkProofs(files, key)];
  if (claims.length === 0) throw new BewaardError("PROOF_INVALID", `${path}: no proof in there`);
  if (authorities !== undefined) claims.push(await timestampClaim(files, authorities, signal));
  return claims;
}

async function timestampClaim(
  files: ProofFiles,
  authorities: string,
  signal: AbortSignal,
): Promise<Claim> {
  const file = "timestamped.tsr";
  const reply = files.get(file);
  const note = files.get("timestamped.checkpoint");
  if (!reply || !note) return { file, proven: false, what: "is not there" };
  try {
    const digest = createHash("sha256").update(note).digest("hex");
    const toldAt = await checkTimestamp({ digest }, reply, authorities, signal);
    return { file, proven: true, what: `the checkpoint was there at ${isoOf(toldAt)}` };
  } catch (error) {
    if (!(error instanceof BewaardError && error.code === "TIMESTAMP_REFUSED")) throw error;
    return { file, proven: false, what: "is not this authority's timestamp over the checkpoint" };
  }
}

/** The files of a folder; of a file, those of the same entry beside it. */
async function proofFilesAt(path: string): Promise<ProofFiles> {
  try {
    const one = (await stat(path)).isDirectory() ? undefined : basename(path);
    const folder = one === undefined ? path : dirname(path);
    const stem = one?.replace(/(?:\.\d+\.row-proof|\.tlog-proof)$/, "");
    const files = new Map<string, Buffer>();
    for (const name of await readdir(folder)) {
      if (stem !== undefined && !name.startsWith(`${stem}.`)) continue;
      const file = join(folder, name);
      const found = await lstat(file);
      // What is passed over would be neither proven nor missed.
      if (!found.isFile() || found.size > FILE_LIMIT_BYTES || files.size === FILES_LIMIT) {
        const message = `${path} has what no proof has: a link, a folder, a pipe, or far too much`;
        throw new BewaardError("PROOF_INVALID", message);
      }
      files.set(name, await readFile(file));
    }
    return files;
  } catch (cause) {
    if (cause instanceof BewaardError || systemCode(cause) === undefined) throw cause;
    throw new BewaardError("PROOF_INVALID", `${path} cannot be read (${systemCode(cause)})`, {
      cause,
    });
  }
}
