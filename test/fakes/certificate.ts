import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A key and a certificate that nobody vouches for, as cameras make them, with its SHA-256. */
export async function selfSigned(folder: string) {
  const [keyPath, certPath] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=camera", "-days", "2", "-nodes"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", keyPath];
  await promisify(execFile)("openssl", ["req", "-x509", ...subject, ...key, "-out", certPath]);
  const cert = await readFile(certPath, "utf8");
  const fingerprint = createHash("sha256").update(new X509Certificate(cert).raw).digest("hex");
  return { key: await readFile(keyPath, "utf8"), cert, fingerprint };
}
