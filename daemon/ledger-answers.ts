import { readFile } from "node:fs/promises";
import { parseSegmentId } from "#base/ids";
import { isoOf } from "#base/time";
import type { Kept } from "../storage/check.ts";
import { checkLedger } from "../storage/check-ledger.ts";
import { publishedFindings } from "../storage/check-published.ts";
import { newestPublished } from "../storage/ledger/checkpoint.ts";
import { vkeyText } from "../storage/ledger/note.ts";
import { proofFolder } from "../storage/ledger/proof-folder.ts";
import { newestTimestamp } from "../storage/ledger/timestamps.ts";
import type { Answers, Params, Result } from "./control/protocol.ts";

/** What core answers about its ledger. `authority`: PEM file that its timestamps are checked with. */
export function ledgerAnswers(
  kept: Kept,
  authority: string | undefined,
  signal: AbortSignal,
): Pick<Answers, "ledger.head" | "ledger.prove" | "ledger.verify"> {
  return {
    "ledger.head": () => head(kept),
    "ledger.prove": (params) => prove(kept, authority, params),
    "ledger.verify": () => verify(kept, signal),
  };
}

function head({ database, verifier }: Kept): Promise<Result<"ledger.head">> {
  return database.transaction(async (sql) => {
    const [checkpoint, stamp] = [await newestPublished(sql), await newestTimestamp(sql)];
    return {
      vkey: vkeyText(verifier),
      checkpoint: checkpoint ?? null,
      timestamp: stamp
        ? { size: stamp.size, toldAt: isoOf(stamp.toldAt), reply: stamp.reply.toString("base64") }
        : null,
    };
  });
}

async function prove(
  { database, verifier }: Kept,
  authority: string | undefined,
  { segment, entry }: Params<"ledger.prove">,
): Promise<Result<"ledger.prove">> {
  const about = segment === null ? { entry } : { segment: parseSegmentId(segment) };
  const { files, waiting } = await proofFolder(database, verifier, about);
  const stamped = files.some(({ name }) => name.endsWith(".tsr"));
  const chain =
    stamped && authority !== undefined
      ? [{ name: "authority.pem", content: await readFile(authority) }]
      : [];
  return {
    files: [...files, ...chain].map(({ name, content }) => ({
      name,
      content: Buffer.from(content).toString("base64"),
    })),
    waiting: [...waiting],
  };
}

async function verify(
  { database, vault, node, verifier }: Kept,
  signal: AbortSignal,
): Promise<Result<"ledger.verify">> {
  const { findings, entries } = await checkLedger(database, verifier, () => undefined);
  const published = await publishedFindings({ database, vault, node, verifier }, signal);
  return { findings: [...findings, ...published.findings], entries };
}
