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

/** Whose the recorder's own folder is, where the passwords of cameras go. */
interface Recorders {
  readonly folder: string;
  readonly owner: Owner;
}

/**
 * The folders of core and recorder; in place of core's, where that was asked for or is so already, the store of systemd. A box
 * that has its key in its state folder keeps it there: it has one key.
 */
export async function secretsOfBox(
  config: Config,
  owner: Owner,
  recorders: Recorders,
  user: string,
  unit: string,
  wanted: string | undefined,
): Promise<SecretsOfBox> {
  const passwords = config.cameras.map(({ number }) => passwordName(number));
  const cores = inFolder(owner, config.state);
  const recorderOwn = inFolder(recorders.owner, recorders.folder);
  const folder = byName((name) => (passwords.includes(name) ? recorderOwn : cores));
  const served = isServed(config, user);
  if (wanted === "systemd" && !served) {
    const message = `keys: systemd alleen als root, en met / only as root, and with state: /var/lib/${user}`;
    throw new BewaardError("DESK_INPUT", message);
  }
  const asked = wanted === "systemd" && !(await folder.has("node.key"));
  if (!served || !(asked || (await isInStore(user))))
    return { ...folder, keptIn: "folder", opened: async () => undefined };
  const store: CredentialStore = credentialStore(user);
  return {
    ...byName((name) => (OF_CORE.includes(name) ? store : folder)),
    keptIn: "systemd",
    async opened() {
      // First: from here on nobody makes a key in the state folder.
      await writeOwned(owner, join(config.state, KEY_ELSEWHERE), "", 0o600, "once");
      if (!(await store.has("node.key"))) await store.put("node.key", newNodeKeyPem());
      await store.bringTo(unit);
      return store.open(owner, { ...recorders, names: passwords });
    },
  };
}

/** Whether root sets up what this machine's services keep: what somebody tries elsewhere is none of theirs. */
export function isServed({ state }: Config, user: string): boolean {
  return process.getuid?.() === 0 && state === `/var/lib/${user}`;
}

function byName(of: (name: string) => SecretStore): SecretStore {
  return {
    has: (name) => of(name).has(name),
    put: (name, secret) => of(name).put(name, secret),
  };
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
