import { type Head, readCheckpoint } from "./checkpoint.ts";
import { publicPem, type VerifierKey, vkeyText } from "./note.ts";
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

/** What a file is about, by the end of its name: a proof without its body claims something too. */
const CLAIMS: Readonly<Record<string, string>> = {
  entry: "entry",
  "tlog-proof": "entry",
  row: "row",
  "row-proof": "row",
  checkpoint: "checkpoint",
  consistency: "checkpoint",
};

/**
 * Checks every proof in `files` under `key`, which must come from elsewhere. Reads nothing else: no box, no
 * vault. Every entry and row must have its proof, and the reverse; what is neither is passed over.
 */
export function checkProofs(files: ProofFiles, key: VerifierKey): readonly Claim[] {
  const claims = new Map<string, Verdict>();
  for (const name of [...files.keys()].toSorted()) {
    const [, stem = "", end = ""] = /^(.+)\.([a-z-]+)$/s.exec(name) ?? [];
    const about = CLAIMS[end];
    const file = `${stem}.${about}`;
    if (about === "entry") claims.set(file, entryClaim(files, stem, key));
    if (about === "row") claims.set(file, rowClaim(files, stem, key));
    if (about === "checkpoint") claims.set(file, olderClaim(files, stem, key));
    if (name === "checkpoint") claims.set(name, headClaim(files, key));
    if (name === "node.vkey") claims.set(name, keyClaim(textIn(files, name), `${vkeyText(key)}\n`));
    if (name === "node.pem") claims.set(name, keyClaim(textIn(files, name), publicPem(key)));
  }
  return [...claims].map(([file, verdict]) => ({ file, ...verdict }));
}

type Verdict = Omit<Claim, "file">;

/**
 * The checkpoint that the proof of this entry leads to; undefined when it proves nothing. Its file must be
 * named for the entry: people read a proof of destruction in the name.
 */
function headOver(files: ProofFiles, stem: string, key: VerifierKey): Head | undefined {
  const body = files.get(`${stem}.entry`);
  const proof = parseTlogProof(textIn(files, `${stem}.tlog-proof`));
  if (body === undefined || proof === undefined) return undefined;
  const head = readCheckpoint(key, proof.checkpoint);
  if (head === undefined) return undefined;
  const root = rootOfInclusion(leafHash(body), proof.index, head.size, proof.path);
  if (!root?.equals(head.root)) return undefined;
  return stem === `${proof.index}-${kindIn(body)}` ? head : undefined;
}

function headClaim(files: ProofFiles, key: VerifierKey): Verdict {
  const head = readCheckpoint(key, textIn(files, "checkpoint"));
  if (head === undefined) return { proven: false, what: "is not signed by this key" };
  return { proven: true, what: `${head.size} entries, signed by ${head.origin}` };
}

function keyClaim(shown: string, known: string): Verdict {
  return shown === known
    ? { proven: true, what: "is the key you know" }
    : { proven: false, what: "is another key than the one you know" };
}

function entryClaim(files: ProofFiles, stem: string, key: VerifierKey): Verdict {
  const head = headOver(files, stem, key);
  if (head === undefined)
    return { proven: false, what: "is not, under this name, in the ledger that this key signed" };
  return { proven: true, what: `is one of the ${head.size} entries that ${head.origin} signed` };
}

function rowClaim(files: ProofFiles, stem: string, key: VerifierKey): Verdict {
  const not = { proven: false, what: "is not in the batch of a proven entry" };
  const body = files.get(`${stem}.row`);
  const proof = parseRowProof(textIn(files, `${stem}.row-proof`));
  const entry = stem.replace(/\.\d+$/, "");
  if (body === undefined || proof === undefined || !headOver(files, entry, key)) return not;
  const batch = batchIn(textIn(files, `${entry}.entry`));
  if (batch === undefined || stem !== `${entry}.${proof.index}`) return not;
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

/** Of an entry that is in the ledger; empty for one that says no kind. */
function kindIn(entry: Buffer): string {
  const parsed: unknown = JSON.parse(entry.toString("utf8"));
  if (typeof parsed !== "object" || parsed === null || !("kind" in parsed)) return "";
  return String(parsed.kind);
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
