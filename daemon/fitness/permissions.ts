import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "#base/errors";
import { recorderFolder } from "../places.ts";
import { lookAtParts } from "./parts.ts";
import { fit, type Machine, notFit, notFitForReal, type Seen } from "./seen.ts";

/** Who else could read what is kept, or change what is obeyed. */
export async function lookAtPermissions(machine: Machine): Promise<readonly Seen[]> {
  const { config } = machine;
  const states = [...new Set([config.state, recorderFolder(config)])];
  const seen = [
    ...(await Promise.all(states.map((path) => closed(path, 0o067, "710")))),
    ...(await spoolClosed(config.spool.path)),
    ...(await lookAtParts(config)),
    ...(await Promise.all(obeyed(machine).map((path) => unchangeable(machine, path)))),
  ].filter((one) => one !== undefined);
  return seen.length > 0 ? seen : [fit("niemand anders kan erbij", "nobody else can get at it")];
}

/** Files that say what this box does, and the folders that hold them. */
function obeyed({ path, config }: Machine): readonly string[] {
  const files = [path, config.recipients, config.desk_signers];
  return [...new Set([...files, ...files.map(dirname)])];
}

/** Where dock and recorder are users of their own they pass through it to what is theirs, and see nothing of the rest. */
async function spoolClosed(spool: string): Promise<readonly (Seen | undefined)[]> {
  const dock = join(spool, "incoming/dock");
  const record = join(spool, "incoming/record");
  const core = (await statsOf(join(spool, "incoming")))?.uid;
  const given = [await statsOf(dock), await statsOf(record)].some((one) => one && one.uid !== core);
  if (!given) return [await closed(spool, 0o077, "700")];
  const kept = ["segments", "quarantine"].map((name) => closed(join(spool, name), 0o077, "700"));
  return Promise.all([
    closed(spool, 0o066, "711"),
    ...kept,
    ...[dock, record].map((path) => closed(path, 0o007, "2770")),
  ]);
}

async function closed(path: string, forbidden: number, mode: string): Promise<Seen | undefined> {
  if ((((await modeOf(path)) ?? 0) & forbidden) === 0) return undefined;
  return notFit(
    { nl: `${path} staat open voor anderen`, en: `${path} is open to others` },
    { nl: `chmod ${mode} ${path}`, en: `chmod ${mode} ${path}` },
  );
}

async function unchangeable(machine: Machine, path: string): Promise<Seen | undefined> {
  const mode = (await modeOf(path)) ?? 0;
  // In a folder like /tmp only the owner of a file can replace it.
  if ((mode & 0o1000) !== 0 || (mode & 0o022) === 0) return undefined;
  return notFitForReal(
    machine,
    { nl: `anderen kunnen ${path} veranderen`, en: `others can change ${path}` },
    { nl: `chmod go-w ${path}`, en: `chmod go-w ${path}` },
  );
}

async function modeOf(path: string): Promise<number | undefined> {
  return (await statsOf(path))?.mode;
}

/** Undefined where there is nothing, which is told elsewhere. */
async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
