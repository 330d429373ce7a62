import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "#base/errors";
import { fit, type Machine, notFit, notFitForReal, type Seen } from "./seen.ts";

/** Who else could read what is kept, or change what is obeyed. */
export async function lookAtPermissions(machine: Machine): Promise<readonly Seen[]> {
  const { config } = machine;
  const seen = [
    await closed(config.state, 0o067, "710"),
    await closed(config.spool.path, 0o077, "700"),
    ...(await Promise.all(obeyed(machine).map((path) => unchangeable(machine, path)))),
  ].filter((one) => one !== undefined);
  return seen.length > 0 ? seen : [fit("niemand anders kan erbij", "nobody else can get at it")];
}

/** Files that say what this box does, and the folders that hold them. */
function obeyed({ path, config }: Machine): readonly string[] {
  const files = [path, config.recipients, config.desk_signers];
  return [...new Set([...files, ...files.map(dirname)])];
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

/** Undefined where there is nothing, which is told elsewhere. */
async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
