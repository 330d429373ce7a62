import { camerasBench } from "./cameras.ts";
import { catalogBench } from "./catalog.ts";
import { docksBench } from "./docks.ts";
import type { Figure } from "./figure.ts";
import { idleBench } from "./idle.ts";
import { ledgerBench } from "./ledger.ts";
import { lostBench } from "./lost.ts";
import { recordSealBench } from "./record-seal.ts";
import { sealBench } from "./seal.ts";
import { vaultBench } from "./vault.ts";

// `npm run bench -- <name>`: a table for people, and one JSON object as the last line for programs.

const BENCHES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  cameras: camerasBench,
  catalog: catalogBench,
  docks: docksBench,
  idle: idleBench,
  ledger: ledgerBench,
  lost: lostBench,
  "record-seal": recordSealBench,
  seal: sealBench,
  vault: vaultBench,
};

const name = process.argv[2] ?? "";
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`which one? npm run bench -- ${Object.keys(BENCHES).join(" | ")}\n`);
  process.exitCode = 2;
} else {
  const figures = await bench();
  console.table(figures);
  process.stdout.write(`${JSON.stringify({ bench: name, figures })}\n`);
  if (figures.some(({ met }) => !met)) process.exitCode = 1;
}
