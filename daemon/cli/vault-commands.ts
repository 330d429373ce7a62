import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { BewaardError } from "#base/errors";
import { parseNodeId } from "#base/ids";
import { readConfiguration } from "../../config/configuration.ts";
import { lifecycleOf } from "../vault-policy/lifecycle.ts";
import {
  DIALECTS,
  type Dialect,
  VAULT_ROLES,
  type VaultNames,
  type VaultRole,
} from "../vault-policy/names.ts";
import { bucketPolicy, userPolicy, vaultSetup } from "../vault-policy/policies.ts";
import { print, typed } from "./program.ts";

interface Asked {
  readonly for?: VaultRole | "bucket" | "lifecycle";
  readonly dialect?: Dialect;
  readonly node?: readonly string[];
  readonly account?: string;
  readonly users: string;
}

/** `bewaard vault …`: what the bucket must be told, so that a stolen box can neither open nor empty it. */
export function addVaultCommands(
  program: Command,
  global: () => { config: string; json: boolean },
): void {
  program
    .command("vault")
    .description("de emmer van deze kast / the bucket of this box")
    .command("policy")
    .description(
      "toon wat elke sleutel in de emmer mag en wat hij zelf vernietigt / print what each credential may do in the bucket, and what it destroys by itself",
    )
    .addOption(
      new Option(
        "--for <what>",
        "van wie of wat; anders alles / of whom or what; else all",
      ).choices(["bucket", "lifecycle", ...VAULT_ROLES]),
    )
    .addOption(
      new Option(
        "--dialect <dialect>",
        "wat de aanbieder van beleid begrijpt; anders naar de aanbieder / what the provider's policies know; else by provider",
      ).choices(DIALECTS),
    )
    .option(
      "--node <node...>",
      "alle kasten die erin opslaan; anders deze / all boxes that store in it; else this one",
    )
    .option("--account <number>", "rekening van de gebruikers / account of the users")
    .option("--users <start>", "begin van hun namen / what their names begin with", "bewaard")
    .action(async (asked: Asked) => {
      const names = await namesOf(global().config, asked);
      const shown = asked.for === undefined ? vaultSetup(names) : oneOf(names, asked.for);
      // JSON either way: it is pasted, or read by the provider's own tool.
      print(global().json, shown, () => JSON.stringify(shown, null, 2));
    });
}

function oneOf(names: VaultNames, what: NonNullable<Asked["for"]>) {
  if (what === "bucket") return bucketPolicy(names);
  if (what === "lifecycle") return lifecycleOf(names);
  return userPolicy(names, what, names.nodes[0] ?? "");
}

/** @throws BewaardError USAGE when the vault is a directory, which has no policies. */
async function namesOf(path: string, asked: Asked): Promise<VaultNames> {
  const { config, rules } = await readConfiguration(resolve(path));
  if (!("s3" in config.vault)) {
    const what =
      "de kluis is een map: die kent geen beleid / the vault is a directory: it knows no policies";
    throw new BewaardError("USAGE", what);
  }
  const { provider, bucket, level, owner } = config.vault.s3;
  return {
    bucket,
    level,
    dialect: asked.dialect ?? (provider === "aws" ? "aws" : "ceph"),
    nodes: asked.node?.map((node) => typed(parseNodeId, node)) ?? [config.node],
    account: asked.account ?? owner,
    users: asked.users,
    termMs: rules.policy.retention,
    // Not where policy asks for a medium that nobody has yet: the long stop would take what is held.
    separateCopy: config.secured !== undefined,
  };
}
