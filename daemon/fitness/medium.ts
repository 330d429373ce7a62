import { stat } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import { readRules } from "../../config/configuration.ts";
import { openDirectoryVault } from "../../storage/vault/directory.ts";
import { namedBy } from "../places.ts";
import { fit, type Machine, notFitForReal, type Seen, warning } from "./seen.ts";

/** Whether held footage can have its separate copy, where policy asks for one (AR-20). */
export async function lookAtMedium(machine: Machine): Promise<readonly Seen[]> {
  const { secured } = machine.config;
  if (secured === undefined) {
    const { policy } = await readRules({ ...namedBy(machine.config), profiles: [] });
    if (!policy.separate_copy) return [];
    return [
      notFitForReal(
        machine,
        {
          nl: "het beleid vraagt een afzonderlijke kopie (AR-20), en er is geen medium",
          en: "policy asks for a separate copy (AR-20), and there is no medium",
        },
        { nl: "noem het onder secured:", en: "name it under secured:" },
      ),
    ];
  }
  const name = `${secured.medium} ${secured.serial}`;
  if (!("directory" in secured)) return [fit(name, name)];
  try {
    await using vault = await openDirectoryVault(secured.directory);
    await vault.unfinished("footage/");
  } catch (error) {
    if (!(error instanceof BewaardError && error.transient)) throw error;
    return [
      warning(
        { nl: `${name} is er nu niet (${error.code})`, en: `${name} is not here now` },
        {
          nl: "sluit het aan; een nieuwe schijf: bewaard setup --medium",
          en: "connect it; a new disk: bewaard setup --medium",
        },
      ),
    ];
  }
  const [medium, spool] = await Promise.all([
    stat(secured.directory),
    stat(machine.config.spool.path),
  ]);
  if (medium.dev !== spool.dev) return [fit(`${name}, ${secured.directory}`, name)];
  return [
    warning(
      {
        nl: `${name} staat op dezelfde schijf als de spool: dat is geen afzonderlijk medium`,
        en: `${name} is on the same disk as the spool: that is no separate medium`,
      },
      { nl: "koppel een eigen schijf aan", en: "mount a disk of its own" },
    ),
  ];
}
