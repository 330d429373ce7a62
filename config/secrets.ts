import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";

/** Whether systemd brings the secrets (LoadCredential=). */
export function secretsComeFromSystemd(): boolean {
  return process.env["CREDENTIALS_DIRECTORY"] !== undefined;
}

/**
 * Reads a secret: from `$CREDENTIALS_DIRECTORY` where systemd put it, else from `folder`, where nobody
 * but its owner may read it. The only place, with the command line's own file, that secrets come from.
 * @throws BewaardError SECRET_MISSING, or SECRET_EXPOSED when others could read or change the file.
 */
export async function readSecret(name: string, folder: string): Promise<string> {
  const credentials = process.env["CREDENTIALS_DIRECTORY"];
  // systemd guards its folder itself, and shows files there with a group's mode bits.
  return credentials === undefined
    ? readSecretFile(join(folder, name))
    : readGuarded(join(credentials, name), 0o007);
}

/**
 * Reads a password, as `readSecret`: one line, without the end of line that editors add.
 * @throws BewaardError SECRET_MISSING too when the file is empty, or is more than one line.
 */
export async function readPassword(name: string, folder: string): Promise<string> {
  const password = (await readSecret(name, folder)).replace(/\r?\n$/, "");
  if (/^[^\p{Cc}]+$/u.test(password)) return password;
  const why = password === "" ? "is empty" : "is more than one line of text";
  throw new BewaardError("SECRET_MISSING", `${name} ${why}: write the password alone`);
}

/** Reads a secret from a file of its own, under the same rule. */
export function readSecretFile(path: string): Promise<string> {
  return readGuarded(path, 0o077);
}

async function readGuarded(path: string, forbiddenMode: number): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { mode } = await file.stat();
    if ((mode & forbiddenMode) !== 0) {
      throw new BewaardError("SECRET_EXPOSED", `${path} can be read by others: chmod 600 it`);
    }
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof BewaardError) throw cause;
    const message = `${path} cannot be read (${systemCode(cause)})`;
    throw new BewaardError("SECRET_MISSING", message, { cause });
  }
}
