import { createHash, randomBytes } from "node:crypto";

/** How a camera asks for a login. */
export type Scheme = "none" | "basic" | "digest" | "digest-sha256";

/** The login of a simulated camera. May change while it runs. */
export interface Lock {
  scheme: Scheme;
  user: string;
  password: string;
  /** Of Digest: what was made with another one is answered with 401 and this one. */
  nonce: string;
}

const REALM = "simulated";

export function newNonce(): string {
  return randomBytes(16).toString("hex");
}

/** The line of a 401 that says how to log in. */
export function challenge(lock: Lock, authorization: string | undefined): string {
  if (lock.scheme === "basic") return `WWW-Authenticate: Basic realm="${REALM}"`;
  const stale = authorization !== undefined && fieldsOf(authorization)["nonce"] !== lock.nonce;
  const words = [`realm="${REALM}"`, `nonce="${lock.nonce}"`, ...(stale ? ["stale=TRUE"] : [])];
  // As cameras do: the old way of RFC 2069 with MD5, the newer one of RFC 7616 with SHA-256.
  if (lock.scheme === "digest-sha256") words.push("algorithm=SHA-256", 'qop="auth"');
  return `WWW-Authenticate: Digest ${words.join(", ")}`;
}

export function isLoggedIn(lock: Lock, method: string, authorization: string | undefined): boolean {
  if (lock.scheme === "none") return true;
  if (authorization === undefined) return false;
  if (lock.scheme === "basic") {
    const login = Buffer.from(`${lock.user}:${lock.password}`).toString("base64");
    return authorization === `Basic ${login}`;
  }
  const fields = fieldsOf(authorization);
  const of = (name: string): string => fields[name] ?? "";
  const hash = (text: string): string =>
    createHash(lock.scheme === "digest" ? "md5" : "sha256")
      .update(text)
      .digest("hex");
  const who = hash(`${lock.user}:${REALM}:${lock.password}`);
  const what = hash(`${method}:${of("uri")}`);
  const once = fields["qop"] ? `:${of("nc")}:${of("cnonce")}:${of("qop")}` : "";
  const response = hash(`${who}:${lock.nonce}${once}:${what}`);
  return of("nonce") === lock.nonce && of("username") === lock.user && of("response") === response;
}

function fieldsOf(authorization: string): Readonly<Record<string, string>> {
  const found = authorization.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g);
  const fields: Record<string, string> = {};
  for (const [, name = "", quoted, bare] of found) fields[name] = quoted ?? bare ?? "";
  return fields;
}
