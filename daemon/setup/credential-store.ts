import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { BewaardError, systemCode } from "#base/errors";
import { OPENED, openFolder } from "./opened-folder.ts";
import { makeOwned, type Owner, readOwned, writeOwned } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";
import type { SecretStore } from "./take-secrets.ts";

/** Where systemd looks for what `LoadCredentialEncrypted=` names (systemd.exec(5)). */
const FOLDER = "/etc/credstore.encrypted";
/** What core reads. Passwords of cameras stay in a folder, for the recorder. */
export const OF_CORE: readonly string[] = [
  "node.key",
  "vault.credential",
  "destroyer.credential",
  "secured.credential",
];

/** Secrets that are not in the store: by their names in a folder, and whose. */
interface Others {
  readonly folder: string;
  readonly owner: Owner;
  readonly names: readonly string[];
}

/** Secrets of core, encrypted to this machine: with its TPM2 where it has one, else with a key that only root can read. */
export interface CredentialStore extends SecretStore {
  /** Tells systemd to bring to `unit` what is in here. */
  bringTo(unit: string): Promise<void>;
  /**
   * A folder in memory with all of it, for `owner`, as systemd would show it; beside it those of `others` that are there.
   * @throws BewaardError USAGE while another setup has it open; SECRET_EXPOSED where one of `others` is no plain file of its owner.
   */
  open(owner: Owner, others: Others): Promise<AsyncDisposable & { readonly path: string }>;
}

/** Whether this box's secrets are in such a store. */
export function isInStore(user: string): Promise<boolean> {
  return isThere(fileOf(user, "node.key"));
}

/** The store of `user`'s box. For root alone. */
export function credentialStore(user: string): CredentialStore {
  const has = (name: string): Promise<boolean> => isThere(fileOf(user, name));
  return {
    has,
    async put(name, secret) {
      await makeOwned(undefined, FOLDER, 0o700);
      const sealed = await systemdCreds(["encrypt", `--name=${name}`, "-", "-"], secret);
      // A second key of this box would make its ledger another's.
      const how = name === "node.key" ? "once" : "replace";
      await writeOwned(undefined, fileOf(user, name), sealed, 0o600, how);
    },
    async bringTo(unit) {
      const lines: string[] = [];
      for (const name of OF_CORE)
        if (await has(name)) lines.push(`LoadCredentialEncrypted=${name}:${user}.${name}\n`);
      const folder = `/etc/systemd/system/${unit}.d`;
      await makeOwned(undefined, folder, 0o755);
      const dropIn = `# By \`bewaard setup\`: secrets of this box, encrypted to this machine.\n[Service]\n${lines.join("")}`;
      await writeOwned(undefined, join(folder, "credentials.conf"), dropIn, 0o644, "replace");
    },
    open: (owner, others) =>
      openFolder(OPENED, user, owner, async (put) => {
        for (const name of OF_CORE)
          if (await has(name)) {
            const args = ["decrypt", `--name=${name}`, fileOf(user, name), "-"];
            await put(name, await systemdCreds(args, ""));
          }
        for (const name of others.names) {
          const found = await readOwned(others.owner, join(others.folder, name));
          if (found !== undefined) await put(name, found);
        }
      }),
  };
}

function fileOf(user: string, name: string): string {
  return join(FOLDER, `${user}.${name}`);
}

/** Runs systemd-creds(1); what is secret goes in and out by pipes. @throws BewaardError TOOL_MISSING where it cannot. */
async function systemdCreds(args: readonly string[], input: string): Promise<Buffer> {
  const child = spawn("systemd-creds", args, { stdio: ["pipe", "pipe", "pipe"] });
  try {
    child.stdin.end(input);
    const [out, err, ended] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    if (Number(ended[0]) === 0) return out;
    throw new BewaardError("TOOL_MISSING", `systemd-creds ${args[0]}: ${err.trim()}`);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw cause;
    throw new BewaardError("TOOL_MISSING", "systemd-creds is not there", { cause });
  }
}
