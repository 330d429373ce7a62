import { createHash } from "node:crypto";
import type { CameraLogin } from "./address.ts";

/** One way to log in that a server offers. */
export interface Challenge {
  /** In lower case: `digest`, `basic`, or something else. */
  readonly scheme: string;
  /** By name in lower case; quoted values as they stood between the quotes. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What is counted and drawn anew for each request (RFC 7616 §3.4). */
export interface Use {
  readonly method: string;
  readonly url: string;
  /** From 1, for each use of one nonce. */
  readonly count: number;
  readonly cnonce: string;
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ["sha-256", "sha256"],
  ["md5", "md5"],
]);

/**
 * Reads the values of `WWW-Authenticate` headers. Several challenges may stand in one value. What cannot be
 * read ends its value: the challenges before it count.
 */
export function challengesOf(values: readonly string[]): Challenge[] {
  return values.flatMap(challengesIn);
}

/** One field, or the name of a scheme before its first field. */
const TOKEN = /[,\s]*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w-]+))/y;

function challengesIn(value: string): Challenge[] {
  const found: { scheme: string; fields: Map<string, string> }[] = [];
  const token = new RegExp(TOKEN);
  for (let match = token.exec(value); match !== null; match = token.exec(value)) {
    const [, name, quoted, plain, scheme] = match;
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), fields: new Map() });
    else if (name !== undefined) {
      found.at(-1)?.fields.set(name.toLowerCase(), quoted ?? plain ?? "");
    }
  }
  return found;
}

/** The strongest Digest challenge that can be answered: SHA-256 before MD5, `auth` or no qop at all. */
export function answerable(challenges: readonly Challenge[]): Challenge | undefined {
  const digests = challenges.filter(
    ({ scheme, fields }) =>
      scheme === "digest" && fields.has("nonce") && (!fields.has("qop") || offersAuth(fields)),
  );
  for (const algorithm of HASHES.keys()) {
    const found = digests.find(({ fields }) => algorithmOf(fields) === algorithm);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value of `Authorization` for one request under a challenge that is `answerable`. */
export function digestAnswer({ fields }: Challenge, login: CameraLogin, use: Use): string {
  const hash = (text: string): string =>
    // Latin-1, so that a realm's bytes are hashed and sent back as they came.
    createHash(HASHES.get(algorithmOf(fields)) ?? "md5")
      .update(text, "latin1")
      .digest("hex");
  const realm = fields.get("realm") ?? "";
  const nonce = fields.get("nonce") ?? "";
  const user = bytesOf(login.user);
  const secret = hash(`${user}:${realm}:${bytesOf(login.password)}`);
  const asked = hash(`${use.method}:${use.url}`);
  const count = use.count.toString(16).padStart(8, "0");
  const middle = fields.has("qop") ? `${nonce}:${count}:${use.cnonce}:auth` : nonce;
  const parts = [
    `username="${user.replaceAll(/["\\]/g, "\\$&")}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${use.url}"`,
    `response="${hash(`${secret}:${middle}:${asked}`)}"`,
  ];
  // Some cameras know no algorithm field: named only to those that named it.
  const algorithm = fields.get("algorithm");
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  const opaque = fields.get("opaque");
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`);
  if (fields.has("qop")) parts.push("qop=auth", `nc=${count}`, `cnonce="${use.cnonce}"`);
  return `Digest ${parts.join(", ")}`;
}

function algorithmOf(fields: ReadonlyMap<string, string>): string {
  return (fields.get("algorithm") ?? "MD5").toLowerCase();
}

function offersAuth(fields: ReadonlyMap<string, string>): boolean {
  return (fields.get("qop") ?? "").split(",").some((one) => one.trim().toLowerCase() === "auth");
}

/** The UTF-8 bytes of `text`, a character each. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
