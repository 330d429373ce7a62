import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { systemClock } from "#base/system-clock";

/** How a scripted camera is logged in to. */
export interface Lock {
  readonly login?: "token" | "md5" | "sha-256" | "basic" | "none";
  readonly user?: string;
  readonly password?: string;
  /** Its clock less ours: a login is stamped by it. */
  readonly skewMs?: number;
}

interface Refusal {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string;
}

/** What a camera answers to who is not logged in; undefined for who is. */
export function refusal(
  script: Lock,
  request: IncomingMessage,
  body: string,
  nonces: Set<string>,
  refusedXml: string,
): Refusal | undefined {
  const { login = "token" } = script;
  if (login === "none") return undefined;
  if (login === "token") {
    if (tokenIsGood(script, body, nonces)) return undefined;
    const headers = { "Content-Type": "application/soap+xml" };
    return { status: 400, headers, body: refusedXml };
  }
  if (login !== "basic" && digestIsGood(script, request, nonces)) return undefined;
  const nonce = `${randomBytes(12).toString("base64")}==`;
  nonces.add(nonce);
  const challenges = [`Digest realm="cam, 1", nonce="${nonce}", algorithm=MD5, qop="auth"`];
  if (login === "sha-256") {
    challenges.push(`Digest realm="cam, 1", nonce="${nonce}", algorithm=SHA-256, qop="auth"`);
  }
  const offered = login === "basic" ? ['Basic realm="cam"'] : challenges;
  return {
    status: 401,
    headers: { "WWW-Authenticate": offered, "Content-Type": "text/html" },
    body: "<html><br></html>",
  };
}

function tokenIsGood(script: Lock, body: string, nonces: Set<string>): boolean {
  const { user = "bewaard", password = "geheim", skewMs = 0 } = script;
  const [created, nonce] = [tagged(body, "Created") ?? "", tagged(body, "Nonce") ?? ""];
  // As cameras do: a login that is not of this moment, or that was used, is none.
  if (Math.abs(Date.parse(created) - (systemClock.now() + skewMs)) > 5000) return false;
  if (nonces.has(nonce)) return false;
  nonces.add(nonce);
  const digest = createHash("sha1")
    .update(Buffer.from(nonce, "base64"))
    .update(created + password)
    .digest("base64");
  return tagged(body, "Username") === user && tagged(body, "Password") === digest;
}

function digestIsGood(script: Lock, request: IncomingMessage, nonces: Set<string>): boolean {
  const { user = "bewaard", password = "geheim", login } = script;
  const header = request.headers.authorization ?? "";
  const fields = new Map(
    [...header.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(
      ([, name, quoted, plain]) => [name ?? "", quoted ?? plain ?? ""] as const,
    ),
  );
  const algorithm = login === "sha-256" ? "sha256" : "md5";
  const hash = (...parts: readonly (string | undefined)[]) =>
    createHash(algorithm).update(parts.join(":")).digest("hex");
  const secret = hash(user, fields.get("realm"), password);
  const middle = ["nonce", "nc", "cnonce", "qop"].map((name) => fields.get(name));
  const expected = hash(secret, ...middle, hash(request.method, fields.get("uri")));
  return nonces.delete(fields.get("nonce") ?? "") && fields.get("response") === expected;
}

/** The text of the first element of that name. */
export function tagged(xml: string, name: string): string | undefined {
  return new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1];
}
