import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import type { Config } from "../config/schema.ts";
import { readSecret, secretsComeFromSystemd } from "../config/secrets.ts";
import { lockFile } from "../storage/catalog/sqlite.ts";
import { newNodeKeyPem, parseNodeKey, verifierText } from "../storage/ledger/note.ts";
import { createSpool } from "../storage/spool/spool.ts";
import { createDirectoryVault } from "../storage/vault/directory.ts";
import { catalogPath, originOf, recorderFolder } from "./places.ts";
import { writeOwned } from "./setup/own-files.ts";

/** In the state folder of a box whose secrets systemd keeps (daemon/setup/credential-store.ts). */
export const KEY_ELSEWHERE = "node.key.in-systemd";

/**
 * Prepares a new box: its state folder, spool, vault and node key. What is there already stays as it is.
 * Returns the public key of the node, which the desk pins.
 * @throws BewaardError LEASE_HELD while another setup does the same.
 */
export async function setupBox(config: Config): Promise<string> {
  // Its group may pass through to the control socket; what else is in there is its owner's alone.
  await mkdir(config.state, { recursive: true, mode: 0o710 });
  // Two that both find no spool would make two, and each take away what the other writes.
  await using lock = await lockFile(join(config.state, "setup.lock"));
  if (!lock) throw new BewaardError("LEASE_HELD", "another bewaard setup is at work: wait for it");
  await mkdir(recorderFolder(config), { recursive: true, mode: 0o710 });
  // A box that has kept footage has a spool and a vault: where they are not there now, their disks are
  // not mounted, and a new one in the mount point would be taken for the old one, emptied.
  if (!(await exists(catalogPath(config)))) {
    await createSpool(config.spool.path, config.node);
    // A bucket is made by who keeps it.
    if ("directory" in config.vault) await createDirectoryVault(config.vault.directory);
    if (config.secured && "directory" in config.secured) await prepareMedium(config);
  }
  const path = join(config.state, "node.key");
  const made = secretsComeFromSystemd() || (await exists(path));
  if (!made && (await exists(join(config.state, KEY_ELSEWHERE)))) {
    const message =
      "node.key is with systemd, which brings it to the service: `bewaard setup` as root";
    throw new BewaardError("SECRET_MISSING", message);
  }
  // Another setup that runs now may be first: a box has one key.
  if (!made) await writeOwned(undefined, path, newNodeKeyPem(), 0o600, "once");
  return verifierText(parseNodeKey(originOf(config), await readSecret("node.key", config.state)));
}

/**
 * Makes the disk that is mounted now the separate medium. Harmless on one that is; a person says it, because
 * an empty mount point looks like a new disk.
 * @throws BewaardError CONFIG_INVALID where the configuration has no directory as its medium.
 */
export async function prepareMedium({ secured }: Config) {
  if (!(secured && "directory" in secured))
    throw new BewaardError("CONFIG_INVALID", "secured.directory: there is none");
  await createDirectoryVault(secured.directory);
  return { ...secured };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
