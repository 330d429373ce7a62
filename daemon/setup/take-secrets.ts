import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { readCredentialFile, readSecretFile } from "../../config/secrets.ts";
import { passwordName } from "../places.ts";

/** Paths of files with what this box is known by; never the secrets themselves. By name of the secret. */
export type SecretFiles = Readonly<Record<string, string>>;

/** Asks a person for a secret, unseen; undefined for an empty answer. */
export type AskSecret = (nl: string, en: string) => Promise<string | undefined>;

/** Where secrets of this box go. */
export interface SecretStore {
  has(name: string): Promise<boolean>;
  put(name: string, secret: string): Promise<void>;
}

interface Wanted {
  readonly name: string;
  readonly nl: string;
  readonly en: string;
}

/**
 * Puts the secrets that this configuration needs where its parts look: out of the files that were named, and, where it has
 * none yet, as a person types it.
 * @throws BewaardError SECRET_MISSING, SECRET_EXPOSED for a file; DESK_INPUT for one that this configuration has no use for.
 */
export async function takeSecrets(
  config: Config,
  files: SecretFiles,
  store: SecretStore,
  ask: AskSecret | undefined,
): Promise<void> {
  const wanted = wantedBy(config);
  const useless = Object.keys(files).filter((name) => !wanted.some((one) => one.name === name));
  if (useless.length > 0) {
    const message = `hier niet nodig / of no use here: ${useless.join(", ")}`;
    throw new BewaardError("DESK_INPUT", message);
  }
  for (const { name, nl, en } of wanted) {
    const file = files[name];
    if (file !== undefined) await store.put(name, await secretIn(name, file));
    else if (ask && !(await store.has(name))) {
      const typed = await ask(nl, en);
      if (typed !== undefined) await store.put(name, `${typed}\n`);
    }
  }
}

/** As it will be read: what is no credential is told now. */
async function secretIn(name: string, file: string): Promise<string> {
  if (!name.endsWith(".credential")) return readSecretFile(file);
  const { accessKeyId, secretAccessKey } = await readCredentialFile(file);
  return `${accessKeyId}:${secretAccessKey}\n`;
}

function wantedBy({ vault, secured, cameras }: Config): readonly Wanted[] {
  const inVault = "s3" in vault;
  const written = "<access key id>:<secret access key>";
  return [
    ...(inVault
      ? [
          {
            name: "vault.credential",
            nl: `aanmelding bij de emmer, ${written}`,
            en: "credential of the bucket",
          },
        ]
      : []),
    ...(inVault && vault.s3.level === "plain"
      ? [
          {
            name: "destroyer.credential",
            nl: `aanmelding van wie er vernietigt, ${written}`,
            en: "credential of who destroys there",
          },
        ]
      : []),
    ...(secured && "s3" in secured
      ? [
          {
            name: "secured.credential",
            nl: `aanmelding bij het afzonderlijke medium, ${written}`,
            en: "credential of the separate medium",
          },
        ]
      : []),
    ...cameras.flatMap(({ number, user }) =>
      user === undefined
        ? []
        : [
            {
              name: passwordName(number),
              nl: `wachtwoord van ${number}`,
              en: `password of ${number}`,
            },
          ],
    ),
  ];
}
