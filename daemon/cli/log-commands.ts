import { resolve } from "node:path";
import type { Command } from "commander";
import { BewaardError } from "#base/errors";
import { parseSegmentId } from "#base/ids";
import { readText } from "../../config/load.ts";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { print, stopSignal, typed } from "./program.ts";
import { localTime } from "./shown.ts";

/** `bewaarctl log …`: what the ledger says, and the proof of it for somebody who does not trust this box. */
export function addLogCommands(
  program: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  const log = program
    .command("log")
    .description("logboek: kop, bewijs, controle / ledger: head, proof, check");
  addHead(log, askBox, global);
  addProve(log, askBox, global);
  addVerify(log, askBox, global);
}

function addHead(log: Command, askBox: () => Promise<Ask>, global: () => { json: boolean }): void {
  log
    .command("head")
    .description("de nieuwste getekende kop / the newest signed head, as the vault has it")
    .action(async () => {
      const head = await (await askBox())("ledger.head", {});
      print(global().json, head, () => shownHead(head));
    });
}

function addProve(log: Command, askBox: () => Promise<Ask>, global: () => { json: boolean }): void {
  log
    .command("prove")
    .description("schrijf het bewijs in een nieuwe map / write the proof into a new folder")
    .argument("[segment]", "nummer van het fragment / id of the segment, from `bewaarctl find`")
    .requiredOption("--to <folder>", "map die er nog niet is / a folder that is not there yet")
    .option("--entry <seq>", "één regel van het logboek / one entry of the ledger, from 0")
    .action(async (segment: string | undefined, options: { to: string; entry?: string }) => {
      const { files, waiting } = await (await askBox())(
        "ledger.prove",
        asked(segment, options.entry),
      );
      const { writeProofFolder } = await import("../proof-folder.ts");
      const folder = resolve(options.to);
      await writeProofFolder(folder, files);
      const names = files.map(({ name }) => name);
      print(global().json, { folder, files: names, waiting }, () =>
        [
          folder,
          ...names.filter((name) => name.endsWith(".entry")).map((name) => `  ${name}`),
          ...waiting.map((kind) => `  ${kind}: nog niet getekend / not signed yet`),
        ].join("\n"),
      );
    });
}

function asked(segment: string | undefined, entry: string | undefined) {
  if (segment !== undefined && entry === undefined)
    return { segment: typed(parseSegmentId, segment), entry: null };
  if (segment === undefined && entry !== undefined && /^\d{1,15}$/.test(entry))
    return { segment: null, entry: Number(entry) };
  const message =
    "geef een fragment, of --entry met een getal / give a segment, or --entry <number>";
  throw new BewaardError("DESK_INPUT", message);
}

function addVerify(
  log: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  log
    .command("verify")
    .description(
      "controleer het logboek, of een bewijs / check the ledger, or a proof without any box",
    )
    .argument("[proof]", "bewijsmap of .tlog-proof / proof folder or .tlog-proof file")
    .option(
      "--key <vkey>",
      "publieke sleutel van de kast / public key of the box, or a file with it",
    )
    .option("--authority <file>", "PEM van de tijdstempeldienst / of the timestamp authority")
    .action(async (proof: string | undefined, options: { key?: string; authority?: string }) => {
      if (proof === undefined) {
        const report = await (await askBox())("ledger.verify", {});
        print(global().json, report, () => shownLedger(report));
        if (report.findings.length > 0) process.exitCode = 1;
        return;
      }
      const { parseVerifier } = await import("../../storage/ledger/note.ts");
      const { checkProofFolder } = await import("../proof-folder.ts");
      const key = parseVerifier(await keyText(options.key));
      const claims = await checkProofFolder(resolve(proof), key, options.authority, stopSignal());
      print(global().json, { claims }, () =>
        claims
          .map(({ file, proven, what }) => `${VERDICT[`${proven}`]}  ${file}: ${what}`)
          .join("\n"),
      );
      if (claims.some(({ proven }) => !proven)) process.exitCode = 1;
    });
}

const VERDICT = { true: "bewezen / proven     ", false: "NIET BEWEZEN / NOT   " } as const;

/** The key as it is, or the file it stands in. Never taken from the folder that is to be checked. */
async function keyText(key: string | undefined): Promise<string> {
  if (key === undefined) {
    const message = "--key: de publieke sleutel, van elders / the public key, from elsewhere";
    throw new BewaardError("DESK_INPUT", message);
  }
  // A key is named like bewaard/den-haag/dock-1: a path that is none begins otherwise.
  if (key.includes("+") && !/^[./]/.test(key)) return key;
  try {
    return await readText(resolve(key));
  } catch (cause) {
    if (!(cause instanceof BewaardError)) throw cause;
    throw new BewaardError("DESK_INPUT", `--key: ${cause.message}`, { cause });
  }
}

function shownHead({ vkey, checkpoint, timestamp }: Result<"ledger.head">): string {
  if (checkpoint === null) return "nog niet getekend / not signed yet";
  const stamp =
    timestamp === null
      ? "geen tijdstempel / no timestamp"
      : `tijdstempel over / timestamp over ${timestamp.size}: ${localTime(timestamp.toldAt)}`;
  return `${checkpoint.note}\n${stamp}\nsleutel / key ${vkey}`;
}

function shownLedger({ findings, entries }: Result<"ledger.verify">): string {
  const head = `${entries} regels / entries: `;
  if (findings.length === 0) return `${head}in orde / all well`;
  return [`${head}NIET IN ORDE / NOT WELL`, ...findings.map(({ what }) => `  ${what}`)].join("\n");
}
