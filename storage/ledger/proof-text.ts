// Text forms of proofs (docs/format.md). An inclusion proof under a checkpoint is c2sp.org/tlog-proof@v1;
// there is no such form for the row of a batch, nor for consistency: theirs look alike and are ours.

/** `c2sp.org/tlog-proof@v1`: where an entry stands, its path, and the signed head it leads to. */
export interface TlogProof {
  readonly index: number;
  readonly path: readonly Buffer[];
  /** The signed note. */
  readonly checkpoint: string;
}

const TLOG_PROOF = "c2sp.org/tlog-proof@v1";
const ROW_PROOF = "bewaard/row-proof@1";
const CONSISTENCY_PROOF = "bewaard/consistency-proof@1";

export function tlogProofText({ index, path, checkpoint }: TlogProof): string {
  return `${TLOG_PROOF}\nindex ${index}\n${lines(path)}\n${checkpoint}`;
}

/** Undefined for text of another form. Extra data is passed over: nothing authenticates it. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const end = text.indexOf("\n\n");
  const [form, ...rest] = text.slice(0, end).split("\n");
  if (end < 0 || form !== TLOG_PROOF) return undefined;
  const [place, ...hashes] = rest[0]?.startsWith("extra ") ? rest.slice(1) : rest;
  const index = counted("index", place);
  const path = hashesIn(hashes);
  if (index === undefined || path === undefined) return undefined;
  return { index, path, checkpoint: text.slice(end + 2) };
}

/** Where a row stands in its batch, and its path to the batch's root; how many rows is in the entry. */
export interface RowProof {
  readonly index: number;
  readonly path: readonly Buffer[];
}

export function rowProofText({ index, path }: RowProof): string {
  return `${ROW_PROOF}\nindex ${index}\n${lines(path)}`;
}

export function parseRowProof(text: string): RowProof | undefined {
  const [form, place, ...hashes] = text.replace(/\n$/, "").split("\n");
  const index = counted("index", place);
  const path = hashesIn(hashes);
  if (form !== ROW_PROOF || index === undefined || path === undefined) return undefined;
  return { index, path };
}

/** That one checkpoint is the beginning of another. */
export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  readonly path: readonly Buffer[];
}

export function consistencyProofText({ from, to, path }: ConsistencyProof): string {
  return `${CONSISTENCY_PROOF}\nfrom ${from}\nto ${to}\n${lines(path)}`;
}

export function parseConsistencyProof(text: string): ConsistencyProof | undefined {
  const [form, first, second, ...hashes] = text.replace(/\n$/, "").split("\n");
  const [from, to] = [counted("from", first), counted("to", second)];
  const path = hashesIn(hashes);
  if (form !== CONSISTENCY_PROOF || from === undefined || to === undefined) return undefined;
  return path && { from, to, path };
}

function lines(path: readonly Buffer[]): string {
  return path.map((hash) => `${hash.toString("base64")}\n`).join("");
}

function counted(word: string, line: string | undefined): number | undefined {
  const [name, digits, ...rest] = line?.split(" ") ?? [];
  if (name !== word || digits === undefined || rest.length > 0) return undefined;
  const count = Number(digits);
  return /^(?:0|[1-9]\d*)$/.test(digits) && Number.isSafeInteger(count) ? count : undefined;
}

// Exactly the base64 of 32 bytes: a text that decodes alike but is written otherwise is no proof.
function hashesIn(texts: readonly string[]): readonly Buffer[] | undefined {
  const hashes = texts.map((text) => Buffer.from(text, "base64"));
  const exact = hashes.every(
    (hash, index) => hash.length === 32 && hash.toString("base64") === texts[index],
  );
  return exact ? hashes : undefined;
}
