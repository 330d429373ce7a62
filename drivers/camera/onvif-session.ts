import { createHash, randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { BewaardError } from "#base/errors";
import { type Clock, isoOf, plus } from "#base/time";
import type { CameraLogin } from "./address.ts";
import { answerable, challengesOf, digestAnswer } from "./digest.ts";
import type { Post } from "./onvif-library.ts";
import { postSoap, type SoapAnswer } from "./soap-transport.ts";

/** Where a camera answers ONVIF. */
export interface OnvifAddress {
  /** http, or https with a certificate; without a login in it. */
  readonly url: string;
  readonly login: CameraLogin | undefined;
  /** SHA-256 of its certificate in DER, 64 lower-case hex digits. */
  readonly certificate: string | undefined;
}

/** Questions to one camera. Nothing of it is shared with another. */
export interface OnvifSession {
  /** Asks at `url`, of this camera; without its login only what the standard gives to everybody. */
  post(url: URL, withLogin: boolean): Post;
  /** What the camera's clock is before ours: its logins are stamped by that. */
  setOffset(ms: number): void;
  /**
   * An address that the camera named, when it is its own.
   * @throws BewaardError CAMERA_REFUSED for one of another host.
   */
  own(named: string): URL;
  /** Where `named`, one of its services, is asked: by the scheme that was accepted, so never in clear instead. */
  service(named: string): URL;
}

export function openSession(clock: Clock, camera: OnvifAddress, signal: AbortSignal): OnvifSession {
  const asked = new URL(camera.url);
  const itself = new Set([asked.hostname]);
  let offsetMs = 0;

  const own = (named: string): URL => {
    if (!URL.canParse(named)) throw refused("it names an address that is none");
    const url = new URL(named);
    if (itself.has(hostname(url))) return url;
    throw refused(`it names an address of another host (${url.hostname}): nothing was sent there`);
  };

  const post = async (url: URL, envelope: string, authorization?: string): Promise<SoapAnswer> => {
    const answer = await postSoap(url, camera.certificate, envelope, authorization, signal);
    // Asked by a name, it may know itself by its number only.
    itself.add(isIPv6(answer.from) ? `[${answer.from}]` : answer.from);
    return answer;
  };

  const postAsUser = async (url: URL, envelope: string, login: CameraLogin) => {
    const token = usernameToken(login, isoOf(plus(clock.now(), offsetMs)));
    const signed = envelope.replace("<s:Header></s:Header>", () => `<s:Header>${token}</s:Header>`);
    const first = await post(url, signed);
    if (first.status !== 401) return first;
    // Never Basic: to describe a camera is not worth its password in clear.
    const challenge = answerable(challengesOf(first.challenges));
    if (challenge === undefined) throw loginRefused();
    const cnonce = randomBytes(16).toString("hex");
    const use = { method: "POST", url: `${url.pathname}${url.search}`, count: 1, cnonce };
    return post(url, signed, digestAnswer(challenge, login, use));
  };

  return {
    post: (url, withLogin) => async (envelope) => {
      const { login } = camera;
      const answer =
        withLogin && login !== undefined
          ? await postAsUser(url, envelope, login)
          : await post(url, envelope);
      if (answer.status === 401) throw loginRefused();
      return answer;
    },
    setOffset: (ms) => {
      offsetMs = ms;
    },
    own,
    service: (named) => {
      const { protocol, port, pathname, search } = own(named);
      const url = new URL(asked);
      url.pathname = pathname;
      url.search = search;
      if (protocol === asked.protocol) url.port = port;
      return url;
    },
  };
}

/** As URL writes it for http: others it leaves as they are. */
function hostname(url: URL): string {
  const plain = `http://${url.hostname}/`;
  return URL.canParse(plain) ? new URL(plain).hostname : "";
}

/** WS-UsernameToken with PasswordDigest: base64(SHA-1(nonce + created + password)). */
function usernameToken({ user, password }: CameraLogin, created: string): string {
  const nonce = randomBytes(16);
  const digest = createHash("sha1").update(nonce).update(created).update(password).digest("base64");
  const oasis = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
  return [
    `<w:Security s:mustUnderstand="1" xmlns:w="${oasis}-wssecurity-secext-1.0.xsd"><w:UsernameToken>`,
    `<w:Username>${xmlText(user)}</w:Username>`,
    `<w:Password Type="${oasis}-username-token-profile-1.0#PasswordDigest">${digest}</w:Password>`,
    `<w:Nonce EncodingType="${oasis}-soap-message-security-1.0#Base64Binary">${nonce.toString("base64")}</w:Nonce>`,
    `<u:Created xmlns:u="${oasis}-wssecurity-utility-1.0.xsd">${created}</u:Created>`,
    "</w:UsernameToken></w:Security>",
  ].join("");
}

/** A text as XML can hold it. */
export function xmlText(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function loginRefused(): BewaardError {
  return new BewaardError("CAMERA_LOGIN", "it takes no login, or not the one it was given");
}

function refused(why: string): BewaardError {
  return new BewaardError("CAMERA_REFUSED", why);
}
