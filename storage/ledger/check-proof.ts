import { type Head, readCheckpoint } from "./checkpoint.ts";
import type { VerifierKey } from "./note.ts";
import { isConsistent, rootOfInclusion } from "./proof.ts";
import { parseConsistencyProof, parseRowProof, parseTlogProof } from "./proof-text.ts";
import { leafHash } from "./tree.ts";

/** One thing a proof folder claims, and whether it proves it under the node's key. */
export interface Claim {
  readonly file: string;
  readonly proven: boolean;
  readonly what: string;
}

/** The files of a proof folder by name. */
export type ProofFiles = ReadonlyMap<string, Buffer>;

/**
 * Checks every proof in `files` under `key`, which must come from elsewhere. Every entry and row must have
 * its proof. Reads nothing else: no box, no vault. What is neither proof nor proven is passed over.
 */
export function checkProofs(files: ProofFiles, key: VerifierKey): readonly Claim[] {
  return [...files.keys()].toSorted().flatMap((file) => {
    const [, stem = "", end] = /^(.+)\.(entry|row|checkpoint)$/.exec(file) ?? [];
    if (end === "entry") return [{ file, ...entryClaim(files, stem, key) }];
    if (end === "row") return [{ file, ...rowClaim(files, stem, key) }];
    if (end === "checkpoint") return [{ file, ...olderClaim(files, stem, key) }];
    return [];
  });
}

type Verdict = Omit<Claim, "file">;

/** The checkpoint that the proof of this entry leads to; undefined when it proves nothing. */
function headOver(files: ProofFiles, stem: string, key: VerifierKey): Head | undefined {
  const body = files.get(`${stem}.entry`);
  const proof = parseTlogProof(textIn(files, `${stem}.tlog-proof`));
  if (body === undefined || proof === undefined) return undefined;
  const head = readCheckpoint(key, proof.checkpoint);
  if (head === undefined) return undefined;
  const root = rootOfInclusion(leafHash(body), proof.index, head.size, proof.path);
  return root?.equals(head.root) ? head : undefined;
}

function entryClaim(files: ProofFiles, stem: string, key: VerifierKey): Verdict {
  const head = headOver(files, stem, key);
  if (head === undefined)
    return { proven: false, what: "is not in the ledger that this key signed" };
  return { proven: true, what: `is one of the ${head.size} entries that ${head.origin} signed` };
}

function rowClaim(files: ProofFiles, stem: string, key: VerifierKey): Verdict {
  const not = { proven: false, what: "is not in the batch of a proven entry" };
  const body = files.get(`${stem}.row`);
  const proof = parseRowProof(textIn(files, `${stem}.row-proof`));
  const entry = stem.replace(/\.\d+$/, "");
  if (body === undefined || proof === undefined || !headOver(files, entry, key)) return not;
  const batch = batchIn(textIn(files, `${entry}.entry`));
  if (batch === undefined) return not;
  const root = rootOfInclusion(leafHash(body), proof.index, batch.rows, proof.path);
  if (root?.toString("hex") !== batch.root) return not;
  return { proven: true, what: `is one of the ${batch.rows} rows under entry ${entry}` };
}

function olderClaim(files: ProofFiles, stem: string, key: VerifierKey): Verdict {
  const older = readCheckpoint(key, textIn(files, `${stem}.checkpoint`));
  const newer = readCheckpoint(key, textIn(files, "checkpoint"));
  const proof = parseConsistencyProof(textIn(files, `${stem}.consistency`));
  const consistent =
    older?.size === proof?.from && newer?.size === proof?.to && older && newer && proof
      ? isConsistent(older, newer, proof.path)
      : false;
  return consistent
    ? { proven: true, what: "is signed, and the beginning of the newer one" }
    : { proven: false, what: "is not the signed beginning of the newer one" };
}

function batchIn(entry: string): { readonly root: string; readonly rows: number } | undefined {
  const parsed: unknown = JSON.parse(entry);
  if (typeof parsed !== "object" || parsed === null) return undefined;
  if (!("root" in parsed && "rows" in parsed)) return undefined;
  const { root, rows } = parsed;
  return typeof root === "string" && typeof rows === "number" ? { root, rows } : undefined;
}

function textIn(files: ProofFiles, name: string): string {
  return files.get(name)?.toString("utf8") ?? "";
}
