import { sealBench } from "./seal.ts";

/** `npm run bench -- <name>`: a table for people, and one JSON object as the last line for programs. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `<= 1.1` or `>= 2`. */
  readonly target: string;
  readonly met: boolean;
}

/** A figure held against its target. */
export function figure(name: string, value: number, unit: string, target: string): Figure {
  const [comparison, limit] = target.split(" ");
  const met = comparison === "<=" ? value <= Number(limit) : value >= Number(limit);
  return { name, value: Number(value.toFixed(3)), unit, target, met };
}

const BENCHES: Readonly<Record<string, () => Promise<readonly Figure[]>>> = { seal: sealBench };

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
