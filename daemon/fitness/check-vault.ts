import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { readRules } from "../../config/configuration.ts";
import { readConfig } from "../../config/load.ts";
import { namedBy } from "../places.ts";
import { checkBucket } from "./bucket.ts";
import { tried } from "./bucket-probe.ts";
import { type BucketRow, honoured, say } from "./bucket-row.ts";
import { reportOf, type VaultReport } from "./bucket-shown.ts";
import { openCalls } from "./look-at-bucket.ts";
import { type Machine, THIS_MACHINE } from "./seen.ts";
import { lookAtVault } from "./vault.ts";

/**
 * Tries the vault of the box whose file is at `path`: a bucket with each credential that is on this machine, in a
 * folder of it that `name` makes new; of a directory it says what that is.
 * @throws BewaardError for what is missing here: configuration, credential, certificate.
 */
export async function checkVault(
  clock: Clock,
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<VaultReport> {
  const config = await readConfig(path);
  if (!("s3" in config.vault))
    return checkDirectory({ clock, path, config, ...THIS_MACHINE }, signal);
  const { s3 } = config.vault;
  const { policy } = await readRules({ ...namedBy(config), profiles: [] });
  await using opened = new AsyncDisposableStack();
  const box = opened.use(await openCalls(s3, config.state, "vault.credential"));
  const destroyer = await ifThere(() => openCalls(s3, config.state, "destroyer.credential"));
  if (destroyer !== undefined) opened.use(destroyer);
  const separateCopy = config.secured !== undefined;
  const kept = { node: config.node, level: s3.level, termMs: policy.retention, separateCopy };
  return await checkBucket(clock, { box, destroyer }, kept, name, signal);
}

async function checkDirectory(machine: Machine, signal: AbortSignal): Promise<VaultReport> {
  const rows = await tried("vault", signal, async () =>
    (await lookAtVault(machine, signal)).map(
      (seen): BucketRow => ({
        ...seen,
        what: "vault",
        means: seen.todo === null ? null : say("zie bewaard check", "see bewaard check"),
        spoils: seen.verdict === "not fit" ? "every level" : "nothing",
      }),
    ),
  );
  const { vault } = machine.config;
  const folder = "directory" in vault ? vault.directory : "";
  return reportOf(folder, "directory", [DIRECTORY, ...rows], []);
}

const DIRECTORY = honoured(
  "level",
  "een map: wie er schrijft kan vernietigen, en alleen bewaard houdt zich aan een hold",
  "a directory: whoever writes there can destroy, and only bewaard heeds a hold",
);

async function ifThere<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof BewaardError && error.code === "SECRET_MISSING") return undefined;
    throw error;
  }
}
