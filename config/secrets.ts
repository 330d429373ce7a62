import { constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
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
  // systemd guards its folder itself, and shows files there with a group's mode bits.
  return readGuarded(pathOf(name, folder), secretsComeFromSystemd() ? 0o007 : 0o077);
}

/** Whether secrets in `folder` are another user's, who alone may read them. Root reads all, and systemd brings what is ours. */
export async function isAnothers(folder: string): Promise<boolean> {
  const us = process.geteuid?.();
  if (us === 0 || secretsComeFromSystemd()) return false;
  try {
    return (await lstat(folder)).uid !== us;
  } catch {
    // Whoever reads it is told.
    return false;
  }
}

/**
 * As `readSecret` of another user's, as far as its file can be judged from outside.
 * @throws BewaardError SECRET_MISSING too when it is empty; SECRET_EXPOSED.
 */
export async function lookAtSecret(name: string, folder: string): Promise<void> {
  const path = join(folder, name);
  try {
    const { mode, size } = await lstat(path);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size === 0)
      throw new BewaardError("SECRET_MISSING", `${name} is empty: write the password alone`);
    mayNobodyElse(path, mode, 0o077);
  } catch (cause) {
    throw missing(path, cause);
  }
}

/** A text that changes with the file of a secret, its mode, or what stands at its path; and on `touch`. */
export async function secretStamp(name: string, folder: string): Promise<string> {
  try {
    const { ino, ctimeNs } = await lstat(pathOf(name, folder), { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function pathOf(name: string, folder: string): string {
  return join(process.env["CREDENTIALS_DIRECTORY"] ?? folder, name);
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

/** What a bucket knows somebody by. */
export interface BucketCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Reads what a bucket knows this machine by, as `readPassword`: `<access key id>:<secret access key>`.
 * @throws BewaardError SECRET_MISSING too when it is not written so.
 */
export async function readCredential(name: string, folder: string): Promise<BucketCredential> {
  return credentialIn(await readPassword(name, folder), name);
}

/** As `readCredential`, from a file of its own. */
export async function readCredentialFile(path: string): Promise<BucketCredential> {
  return credentialIn((await readSecretFile(path)).replace(/\r?\n$/, ""), path);
}

function credentialIn(line: string, name: string): BucketCredential {
  const [, accessKeyId, secretAccessKey] = /^([\w-]{3,128}):([\w+/=.-]{8,256})$/.exec(line) ?? [];
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey };
  const what = "is not <access key id>:<secret access key>, on one line";
  throw new BewaardError("SECRET_MISSING", `${name} ${what}`);
}

/** Reads a secret from a file of its own, under the same rule. */
export function readSecretFile(path: string): Promise<string> {
  return readGuarded(path, 0o077);
}

async function readGuarded(path: string, forbiddenMode: number): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { mode } = await file.stat();
    mayNobodyElse(path, mode, forbiddenMode);
    return await file.readFile("utf8");
  } catch (cause) {
    throw missing(path, cause);
  }
}

function mayNobodyElse(path: string, mode: number, forbiddenMode: number): void {
  if ((mode & forbiddenMode) !== 0)
    throw new BewaardError("SECRET_EXPOSED", `${path} can be read by others: chmod 600 it`);
}

function missing(path: string, cause: unknown): BewaardError {
  if (cause instanceof BewaardError) return cause;
  const message = `${path} cannot be read (${systemCode(cause)})`;
  return new BewaardError("SECRET_MISSING", message, { cause });
}
