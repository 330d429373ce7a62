import { join } from "node:path";
import { z } from "zod";
import { readConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { shownFitness } from "../fitness/shown-fitness.ts";
import type { LookInSlots } from "../pairing/in-slots.ts";
import { recorderFolder } from "../places.ts";
import { type AsCore, asCore, printed, type Ran, reportIn } from "./as-core.ts";
import { folderBeside } from "./draft.ts";
import {
  type Discovery,
  type FirstHardware,
  lookAtHardware,
  pairingLines,
} from "./first-hardware.ts";
import { desksFiles, takeFromDesk } from "./from-desk.ts";
import { giveParts, letThrough } from "./give-parts.ts";
import type { Given, Person } from "./given.ts";
import { OPENED, onlySetup } from "./opened-folder.ts";
import { makeOwned, type Owner, ownerOf, writeOwned } from "./own-files.ts";
import { partUsers } from "./part-users.ts";
import { settleRecoveryKey } from "./recovery-key.ts";
import { isServed, secretsOfBox } from "./secrets-of-box.ts";
import { type Replaced, settleConfiguration } from "./settle.ts";
import { isThere } from "./settle-configuration.ts";
import { stillToDo } from "./still-to-do.ts";
import { takeSecrets } from "./take-secrets.ts";

export interface SetupReport extends FirstHardware {
  readonly configuration: string;
  /** Keys that were answered otherwise than the configuration has them, which was there and stays. */
  readonly differs: readonly string[];
  readonly replaced: Replaced | null;
  readonly verifier: string;
  /** What `check --vault` says of a bucket. Null of a folder, which `check` writes to as well. */
  readonly vault: Ran | null;
  readonly check: z.output<typeof looked>;
  /** What is still to be typed, in order. */
  readonly next: readonly string[];
  /** Whether all is well, but for what is still to come from the desk. */
  readonly done: boolean;
}

const says = z.object({ nl: z.string(), en: z.string() });
/** What `bewaard --json check` prints. */
const looked = z.object({
  fit: z.boolean(),
  checks: z.array(
    z.object({
      what: z.string(),
      verdict: z.enum(["fit", "warning", "not fit"]),
      says,
      todo: says.nullable(),
    }),
  ),
});
/** A box has one key, and keeps it where it was made. */
const KEYS_STAY = {
  folder: "de sleutel van deze kast blijft in haar map / keys: stay in the folder of this box",
  systemd: "de sleutel van deze kast blijft bij systemd / keys: stay with systemd",
};
const FROM_DESK: ReadonlySet<string> = new Set(["recipients", "desk signers"]);

/**
 * A first run, from nothing to `check`: docs/design.md, "Setting up a box". What is there already stays as it is, so it may be cut off
 * anywhere and run again. As root it does what the box keeps as the user whose the state folder is.
 * @throws BewaardError as each step does; what was made before stays.
 */
export async function guidedSetup(
  path: string,
  given: Given,
  person: Person | undefined,
  inSlots: LookInSlots,
  json: boolean,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SetupReport> {
  const tenant = given.tenant?.name;
  const [user, unit] =
    tenant === undefined
      ? ["bewaard", "bewaard.service"]
      : [`bewaard-${tenant}`, `bewaard@${tenant}.service`];
  const { keys, replaced, ...settled } = await settleConfiguration(path, given, person, say);
  const config = await readConfig(path);
  await using _only = isServed(config, user) ? await onlySetup(OPENED, user) : undefined;
  const recoveryKey = await settleRecoveryKey(path, config, person?.askPath);
  const owner = await makeFolders(config);
  if (owner) await letThrough(config.spool.path, owner, [owner]);
  // Where dock and recorder are users of their own, their part of the box is theirs.
  const parts = isServed(config, user) ? await partUsers(user) : undefined;
  const folder = recorderFolder(config);
  const recorders = { folder, owner: parts?.record ?? (await ownerOf(folder)) };
  const secrets = await secretsOfBox(config, owner, recorders, user, unit, keys);
  const moved = keys !== undefined && keys !== secrets.keptIn;
  if (moved) say(KEYS_STAY[secrets.keptIn]);
  const differs = [...settled.differs, ...(moved ? ["keys"] : [])];
  await takeSecrets(config, given.secrets, secrets, person?.askSecret);
  await using opened = await secrets.opened();
  // A child has one group: of a tenant's the one that may read its configuration.
  const who = (one: Owner): Owner =>
    one && given.tenant ? { ...one, gid: given.tenant.readers } : one;
  const core = asCore(who(owner), path, opened?.path, signal);
  const recorder = asCore(who(recorders.owner), path, undefined, signal);
  const verifier = await prepare(core, path);
  if (parts) await giveParts(config, owner ?? { uid: 0, gid: 0 }, parts);
  say(`sleutel van deze kast, voor het bureau / key of this box, for the desk:\n${verifier}`);
  await takeFromDesk(config, await desksFiles(config, given.desk, person?.askPath));
  const how = json ? ["--json"] : [];
  const vault = "s3" in config.vault ? await core("bewaard", ...how, "check", "--vault") : null;
  if (vault !== null) say(vault.out);
  const check = looked.parse(reportIn((await core("bewaard", "--json", "check")).out));
  say(shownFitness(check.checks));
  const brought = (await isThere(config.recipients)) && (await isThere(config.desk_signers));
  const seen = await lookAtHardware(
    path,
    core,
    recorder,
    inSlots,
    (indoors) => where(given, indoors, person),
    how,
  );
  for (const one of [seen.camera, seen.found]) if (one !== null) say(one.out);
  const next = [
    ...stillToDo(config, verifier, brought, recoveryKey, tenant),
    ...pairingLines(given.tenant ? [] : seen.slots),
  ];
  say(["hierna / next:", ...next].join("\n  "));
  const faults = check.checks.filter(({ verdict }) => verdict === "not fit");
  // What comes from the desk cannot be there before the desk knows the key of this box.
  const tried = (vault?.code ?? 0) === 0 && (seen.camera?.code ?? 0) === 0;
  const done = tried && faults.every(({ what }) => !brought && FROM_DESK.has(what));
  return { configuration: path, differs, replaced, verifier, vault, check, ...seen, next, done };
}

/** Those that only root can make where they belong. */
async function makeFolders(config: Config): Promise<Owner> {
  const { state, spool, vault } = config;
  const owner = await ownerOf(state);
  await makeOwned(owner, state, 0o710);
  await makeOwned(owner, recorderFolder(config), 0o710);
  await makeOwned(owner, spool.path, 0o700);
  if ("directory" in vault) await makeOwned(owner, vault.directory, 0o700);
  return owner;
}

const made = z.object({ verifier: z.string() });

/** Spool, vault and node key; and the public key for the root helper, which believes what root wrote. */
async function prepare(core: AsCore, path: string): Promise<string> {
  const { verifier } = made.parse(printed(await core("bewaard", "--json", "setup")));
  if (process.getuid?.() === 0) {
    const known = join(folderBeside(path), "node.vkey");
    await writeOwned(undefined, known, `${verifier}\n`, 0o644, "replace");
  }
  return verifier;
}

/** A policy that knows no buildings has no cameras to look for. */
async function where(
  { discovery }: Given,
  indoors: boolean,
  person: Person | undefined,
): Promise<Discovery> {
  if (discovery.by !== undefined || discovery.at !== undefined || !indoors || !person)
    return discovery;
  const by = await person.askPath(
    "camera's zoeken: naam van de netwerkkaart in hun net (eth1); leeg: niet",
    "look for cameras: name of the network interface in their network; empty: no",
  );
  return { by, at: undefined };
}
