import { BewaardError, systemCode } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { readConfig } from "../../config/load.ts";
import { ERROR_SAYS } from "../cli/error-says.ts";
import { lookAtBackup } from "./backup.ts";
import { lookAtCameras } from "./cameras.ts";
import { lookAtClock, lookAtTrust } from "./clock.ts";
import { lookAtConfiguration, lookAtPolicy, lookAtProfiles } from "./configuration.ts";
import { lookAtSpool, lookAtState } from "./disk.ts";
import { lookAtHelperKey } from "./helper-key.ts";
import { inTime } from "./in-time.ts";
import { lookAtNodeKey, lookAtRecipients, lookAtSigners, lookForSecrets } from "./keys.ts";
import { lookAtMemory, lookAtUser } from "./machine.ts";
import { lookAtMedium } from "./medium.ts";
import { lookAtPermissions } from "./permissions.ts";
import { type Look, notFit, type Roots, type Seen, THIS_MACHINE } from "./seen.ts";
import type { Fitness } from "./shown-fitness.ts";
import { lookAtTools } from "./tools.ts";
import { lookAtVault } from "./vault.ts";

// Names are stable: scripts match on them (docs/json.md).
const LOOKS: Readonly<Record<string, Look>> = {
  policy: lookAtPolicy,
  profiles: lookAtProfiles,
  cameras: lookAtCameras,
  clock: lookAtClock,
  service: lookAtTrust,
  spool: lookAtSpool,
  state: lookAtState,
  vault: lookAtVault,
  medium: lookAtMedium,
  "node key": lookAtNodeKey,
  "helper key": lookAtHelperKey,
  recipients: lookAtRecipients,
  backup: lookAtBackup,
  "desk signers": lookAtSigners,
  secrets: lookForSecrets,
  permissions: lookAtPermissions,
  user: lookAtUser,
  memory: lookAtMemory,
  tools: lookAtTools,
};

/** A disk or vault that takes longer than this does not answer: said, and passed over. */
const PATIENCE_MS = 10 * SECOND_MS;

/** Looks at everything a box needs, each by itself and in time, so that one run names every fault. */
export async function checkBox(
  clock: Clock,
  path: string,
  signal: AbortSignal,
  roots: Roots = THIS_MACHINE,
): Promise<readonly Fitness[]> {
  const config = await readConfig(path).catch((error: unknown) => failed(error));
  if ("verdict" in config) return [{ what: "configuration", ...config }];
  const machine = { clock, path, config, ...roots };
  const found = await Promise.all(
    Object.entries(LOOKS).map(async ([what, look]) => {
      const seen = await seenBy(clock, (s) => look(machine, s), signal);
      return seen.map((one) => ({ what, ...one }));
    }),
  );
  return [{ what: "configuration", ...lookAtConfiguration(machine) }, ...found.flat()];
}

async function seenBy(
  clock: Clock,
  look: (signal: AbortSignal) => Promise<readonly Seen[]>,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  try {
    return await inTime(clock, PATIENCE_MS, look, [tooLate()], signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return [failed(error)];
  }
}

function tooLate(): Seen {
  const seconds = PATIENCE_MS / SECOND_MS;
  return notFit(
    { nl: `geen antwoord binnen ${seconds} s`, en: `no answer within ${seconds} s` },
    {
      nl: "kijk naar de schijf of het netwerk waar dit op staat",
      en: "look at the disk or network this is on",
    },
  );
}

/** A failure as something to act on; a bug is thrown. */
function failed(error: unknown): Seen {
  if (error instanceof BewaardError) {
    const [nl = "", en = ""] = ERROR_SAYS[error.code].split(" / ");
    const see = `docs/troubleshooting.md, ${error.code}`;
    return notFit(
      { nl: `${nl} (${error.code}: ${error.message})`, en },
      { nl: `zie ${see}`, en: `see ${see}` },
    );
  }
  const code = systemCode(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  return notFit(
    { nl: `niet te lezen: ${error.message}`, en: "cannot be read" },
    {
      nl: "kijk of het er is, en van wie het is",
      en: "see whether it is there, and who owns it",
    },
  );
}
