import { execFile } from "node:child_process";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BewaardError, systemCode } from "#base/errors";
import { HOUR_MS, MINUTE_MS } from "#base/time";
import type { Ask } from "../control/client.ts";
import { writeProofFolder } from "../proof-folder.ts";
import type { Expectation } from "./show.ts";
import { passUntil, type SimulatedClock } from "./simulated-clock.ts";

const run = promisify(execFile);

/** The commands of docs/ledger.md, in order: what anybody can check a proof folder with. */
export function procedureIn(page: string): readonly string[] {
  return [...page.matchAll(/^```sh\n(.+?)^```$/gms)].map(([, commands]) => commands ?? "");
}

/**
 * Runs the procedure in a proof folder with nothing but a shell, python3 and openssl. True when every
 * command proves what it says; `shown` is what they print.
 * @throws BewaardError TOOL_MISSING.
 */
export async function checkByHand(
  folder: string,
): Promise<{ readonly proven: boolean; readonly shown: string }> {
  const commands = procedureIn(await readFile(join(folder, "ledger.md"), "utf8"));
  await toolsAreThere();
  try {
    const { stdout } = await run("sh", ["-eu", "-c", commands.join("\n")], { cwd: folder });
    return { proven: stdout.includes("bewezen / proven"), shown: stdout };
  } catch (error) {
    if (!(error instanceof Error && "stdout" in error && "stderr" in error)) throw error;
    return { proven: false, shown: `${String(error.stdout)}${String(error.stderr)}` };
  }
}

async function toolsAreThere(): Promise<void> {
  for (const [tool, option] of [
    ["python3", "--version"],
    ["openssl", "version"],
  ] as const) {
    try {
      await run(tool, [option]);
    } catch (cause) {
      if (systemCode(cause) !== "ENOENT") throw cause;
      const message = `${tool} is not installed: apt-get install ${tool}`;
      throw new BewaardError("TOOL_MISSING", message, { cause });
    }
  }
}

/** Proves to somebody without bewaard that a segment was destroyed; and that a false entry is not proven. */
export async function proveDestroyed(
  clock: SimulatedClock,
  folder: string,
  segment: string,
  ask: Ask,
  signal: AbortSignal,
): Promise<readonly (Expectation & { readonly what: string })[]> {
  const prove = () => ask("ledger.prove", { segment, entry: null });
  // What was destroyed last is under a signed head within the hour.
  const signed = async () => (await prove()).waiting.length === 0;
  await passUntil(clock, 5 * MINUTE_MS, 2 * HOUR_MS, signed, signal);
  const proof = join(folder, "proof");
  await writeProofFolder(proof, (await prove()).files);
  const forged = join(folder, "forged-proof");
  await cp(proof, forged, { recursive: true });
  await alterDestroyed(forged);

  const real = await checkByHand(proof);
  const altered = await checkByHand(forged);
  const destroyed = /bewezen \/ proven: \S*segments\.destroyed\.\d+\.row /.test(real.shown);
  return [
    {
      what: "vernietiging, met python3 en openssl / destruction, with python3 and openssl",
      expected: "bewezen / proven",
      seen:
        real.proven && destroyed ? "bewezen / proven" : `niet bewezen / not proven\n${real.shown}`,
    },
    {
      what: "dezelfde met één teken veranderd / the same with one character changed",
      expected: "niet bewezen / not proven",
      seen: altered.proven ? "bewezen / proven" : "niet bewezen / not proven",
    },
  ];
}

/** Makes the row say that one version was left, as if nothing had been destroyed. */
async function alterDestroyed(folder: string): Promise<void> {
  const names = await readdir(folder);
  const row = names.find((name) => /segments\.destroyed\.\d+\.row$/.test(name)) ?? "";
  const path = join(folder, row);
  await writeFile(path, (await readFile(path, "utf8")).replace('"left":0', '"left":1'));
}
