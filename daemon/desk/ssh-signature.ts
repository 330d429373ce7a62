import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";

/** Signatures are good for desk entries and nothing else (ssh-keygen(1), -n). */
const NAMESPACE = "bewaard-desk";

/**
 * Signs `message` with the SSH key at `keyPath` (a private key, or a public one whose private half is in
 * the agent or on a FIDO2 token). Asks on the terminal for a passphrase or a touch where it needs one.
 * @throws BewaardError DESK_KEY.
 */
export async function signWithSsh(keyPath: string, message: string): Promise<string> {
  const { code, out, err } = await sshKeygen(
    ["-Y", "sign", "-n", NAMESPACE, "-f", keyPath],
    message,
  );
  if (code === 0 && out.startsWith("-----BEGIN SSH SIGNATURE-----")) return out;
  throw new BewaardError("DESK_KEY", `${keyPath} did not sign: ${lastLine(err)}`);
}

/** Whether `person`, as the allowed_signers file at `signersPath` knows them, signed `message`. */
export async function signedBy(
  signersPath: string,
  person: string,
  message: string,
  signature: string,
): Promise<boolean> {
  // ssh-keygen reads the signature from a file only. It is public, like what it signs.
  const folder = await mkdtemp(join(tmpdir(), "bewaard-signature-")).catch((error: unknown) => {
    throw diskError(error, "checking a signature");
  });
  try {
    const file = join(folder, "signature");
    await writeFile(file, signature);
    const verify = ["-Y", "verify", "-n", NAMESPACE, "-f", signersPath, "-I", person, "-s", file];
    const { code } = await sshKeygen(verify, message);
    return code === 0;
  } catch (error) {
    throw diskError(error, "checking a signature");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * SHA-256 of the public key inside an armoured signature (PROTOCOL.sshsig), lower-case hex. It says whose it
 * is only of a signature that was verified.
 */
export function keySha256Of(signature: string): string {
  const blob = Buffer.from(signature.replace(/-----[^-]+-----/g, ""), "base64");
  // "SSHSIG", a version of four bytes, then the key with its length before it.
  const bytes = blob.readUInt32BE(10);
  return createHash("sha256")
    .update(blob.subarray(14, 14 + bytes))
    .digest("hex");
}

async function sshKeygen(
  args: readonly string[],
  message: string,
): Promise<{ code: number; out: string; err: string }> {
  const child = spawn("ssh-keygen", args);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (cause) => {
      const say = "ssh-keygen cannot be run: install openssh-client";
      reject(new BewaardError("TOOL_MISSING", say, { cause }));
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
  // A signature refused at its first line leaves the message unread; the exit code tells.
  child.stdin.on("error", () => undefined);
  child.stdin.end(message);
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1) ?? "";
}
