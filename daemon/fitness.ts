import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, dayOf } from "#base/time";
import { readConfig, readPolicy, readProfile, readText } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { readSecret } from "../config/secrets.ts";
import { parseNodeKey } from "../storage/ledger/note.ts";
import { parseRecipientBook } from "../storage/seal/recipients.ts";
import { freeBytes, openSpool } from "../storage/spool/spool.ts";
import { openDirectoryVault } from "../storage/vault/directory.ts";
import { asker } from "./control/client.ts";
import { originOf, socketPath } from "./places.ts";

/** One thing looked at, in words an administrator can act on. */
export interface Fitness {
  readonly what: string;
  readonly fit: boolean;
  readonly say: string;
}

/** Looks at everything a box needs, each by itself, so that one run names every fault. */
export async function checkBox(
  clock: Clock,
  path: string,
  signal: AbortSignal,
): Promise<readonly Fitness[]> {
  const found: Fitness[] = [];
  const look = async <T>(what: string, body: () => Promise<readonly [T, string]>) => {
    try {
      const [value, say] = await body();
      found.push({ what, fit: true, say });
      return value;
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      found.push({ what, fit: false, say: `${error.code}: ${error.message}` });
      return undefined;
    }
  };
  const config = await look("configuration", async () => [await readConfig(path), path]);
  if (!config) return found;
  for (const [what, body] of Object.entries(looks(clock, config, signal))) await look(what, body);
  return found;
}

type Look = () => Promise<readonly [unknown, string]>;

function looks(clock: Clock, config: Config, signal: AbortSignal): Readonly<Record<string, Look>> {
  return {
    policy: async () => {
      const policy = await readPolicy(config.policy);
      return [policy, `${policy.name}: ${policy.retention / DAY_MS} days`];
    },
    profiles: async () => {
      for (const { profile } of config.bodycams) await readProfile(profile);
      return [0, `${config.bodycams.length} cameras`];
    },
    spool: async () => {
      const spool = await openSpool(config.spool.path, config.node);
      const free = await freeBytes(spool);
      if (free >= config.spool.keep_free) return [0, `${(free / 1e9).toFixed(1)} GB free`];
      throw new BewaardError(
        "SPOOL_FULL",
        `${(free / 1e9).toFixed(1)} GB free, less than keep_free`,
      );
    },
    "node key": async () => {
      parseNodeKey(originOf(config), await readSecret("node.key", config.state));
      return [0, originOf(config)];
    },
    recipients: async () => recipients(clock, config),
    "desk signers": async () => [0, await readable(config.desk_signers)],
    vault: async () => {
      await using vault = await openDirectoryVault(config.vault.directory);
      await vault.unfinished("footage/");
      return [0, config.vault.directory];
    },
    clock: async () => {
      const { clock: trust } = await asker(socketPath(config), signal)("status", {});
      if (trust.trusted) return [0, trust.why];
      throw new BewaardError("CLOCK_DISAGREES", `${trust.why}: run \`bewaarctl clock confirm\``);
    },
  };
}

async function recipients(clock: Clock, config: Config): Promise<readonly [number, string]> {
  const book = parseRecipientBook(await readText(config.recipients));
  const last = book.at(-1)?.day ?? "";
  const left = Math.floor((Date.parse(last) - Date.parse(dayOf(clock.now()))) / DAY_MS);
  if (left > 30) return [left, `day identities until ${last}`];
  throw new BewaardError("RECIPIENT_MISSING", `day identities end on ${last}: hold a key ceremony`);
}

async function readable(path: string): Promise<string> {
  await readText(path);
  return path;
}

export function shownFitness(found: readonly Fitness[]): string {
  return found
    .map(({ what, fit, say }) => `${fit ? "ok  " : "NOT "} ${what.padEnd(14)} ${say}`)
    .join("\n");
}
