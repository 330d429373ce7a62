import { join } from "node:path";
import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { newNodeKeyPem } from "../../storage/ledger/note.ts";
import { passwordName } from "../places.ts";
import { KEY_ELSEWHERE } from "../setup.ts";
import { type CredentialStore, credentialStore, isInStore, OF_CORE } from "./credential-store.ts";
import { type Owner, writeOwned } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";
import type { SecretStore } from "./take-secrets.ts";

/** Where the secrets of a box are. */
export interface SecretsOfBox extends SecretStore {
  /** As `keys` is answered. */
  readonly keptIn: "folder" | "systemd";
  /** Once all are there: the folder that a command of ours finds them in; undefined where that is the state folder. */
  opened(): Promise<(AsyncDisposable & { readonly path: string }) | undefined>;
}

/**
 * The state folder, or, where that was asked for or is so already, the store of systemd. A box that has its key in its
 * state folder keeps it there: it has one key.
 */
export async function secretsOfBox(
  config: Config,
  owner: Owner,
  user: string,
  unit: string,
  wanted: string | undefined,
): Promise<SecretsOfBox> {
  const folder = inFolder(owner, config.state);
  const served = isServed(config, user);
  if (wanted === "systemd" && !served) {
    const message = `keys: systemd alleen als root, en met / only as root, and with state: /var/lib/${user}`;
    throw new BewaardError("DESK_INPUT", message);
  }
  const asked = wanted === "systemd" && !(await folder.has("node.key"));
  if (!served || !(asked || (await isInStore(user))))
    return { ...folder, keptIn: "folder", opened: async () => undefined };
  const store: CredentialStore = credentialStore(user);
  const of = (name: string): SecretStore => (OF_CORE.includes(name) ? store : folder);
  return {
    keptIn: "systemd",
    has: (name) => of(name).has(name),
    put: (name, secret) => of(name).put(name, secret),
    async opened() {
      // First: from here on nobody makes a key in the state folder.
      await writeOwned(owner, join(config.state, KEY_ELSEWHERE), "", 0o600, "once");
      if (!(await store.has("node.key"))) await store.put("node.key", newNodeKeyPem());
      await store.bringTo(unit);
      const passwords = config.cameras.map(({ number }) => passwordName(number));
      return store.open(owner, config.state, passwords);
    },
  };
}

/** Whether root sets up what this machine's services keep: what somebody tries elsewhere is none of theirs. */
export function isServed({ state }: Config, user: string): boolean {
  return process.getuid?.() === 0 && state === `/var/lib/${user}`;
}

/** Each secret is a file that nobody but its owner may read. */
function inFolder(owner: Owner, folder: string): SecretStore {
  return {
    has: (name) => isThere(join(folder, name)),
    async put(name, secret) {
      await writeOwned(owner, join(folder, name), secret, 0o600, "replace");
    },
  };
}
