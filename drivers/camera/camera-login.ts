import { randomBytes } from "node:crypto";
import { BewaardError } from "#base/errors";
import type { CameraAddress } from "./address.ts";
import { answerable, type Challenge, challengesOf, digestAnswer } from "./digest.ts";

/** The login of one connection: what a camera asked for, and how often it was answered. */
export interface Login {
  /** The value of `Authorization` for a request; undefined as long as the camera has not asked. */
  authorization(method: string, url: string): string | undefined;
  /** To be told of each request that went through with an authorization. */
  accepted(): void;
  /**
   * Takes the challenges of a 401. `refused` says whether the request had an authorization.
   * @throws BewaardError CAMERA_LOGIN when asking again would be the same wrong password, or a weaker scheme.
   */
  challenged(values: readonly string[], refused: boolean): void;
}

/**
 * A password is tried once: cameras lock out who tries more often. Only a camera that has taken it before, or
 * says that its nonce is stale, is answered anew. Basic is for cameras that have nothing else, where their
 * entry allows it: whoever offers Digest, now or before on this connection, never gets the password itself.
 */
export function openLogin(camera: CameraAddress): Login {
  let current: Challenge | undefined;
  let uses = 0;
  let known = false;
  let digestSeen = false;
  return {
    authorization(method, url) {
      if (current === undefined || camera.login === undefined) return undefined;
      const { user, password } = camera.login;
      if (current.scheme === "basic") {
        return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
      }
      uses += 1;
      const cnonce = randomBytes(16).toString("hex");
      return digestAnswer(current, camera.login, { method, url, count: uses, cnonce });
    },
    accepted() {
      known = true;
    },
    challenged(values, refused) {
      if (camera.login === undefined) throw no("it wants a login, and its entry has no user");
      const challenges = challengesOf(values);
      digestSeen ||= challenges.some(({ scheme }) => scheme === "digest");
      const basic = challenges.find(({ scheme }) => scheme === "basic");
      const next = digestSeen ? answerable(challenges) : basic;
      if (next === undefined) throw no(whyNot(digestSeen, basic));
      if (next.scheme === "basic" && !camera.basic) {
        throw no("it wants the password in clear (Basic), and its entry does not say basic");
      }
      if (refused && !renewed(current, next, known)) throw no("it does not take the password");
      current = next;
      uses = 0;
    },
  };
}

/** Whether a camera that refused an authorization only wants a fresh one. */
function renewed(before: Challenge | undefined, next: Challenge, known: boolean): boolean {
  if (next.scheme !== "digest") return false;
  const fresh = next.fields.get("nonce") !== before?.fields.get("nonce");
  return fresh && (known || next.fields.get("stale")?.toLowerCase() === "true");
}

function whyNot(digestSeen: boolean, basic: Challenge | undefined): string {
  if (digestSeen && basic !== undefined) return "it knows Digest, and wants the password in clear";
  return digestSeen
    ? "it offers no Digest with MD5 or SHA-256"
    : "it offers no login that is known";
}

function no(why: string): BewaardError {
  return new BewaardError("CAMERA_LOGIN", why);
}
