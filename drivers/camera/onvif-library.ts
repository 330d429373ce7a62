import httpAuth from "node-onvif/lib/modules/http-auth.js";
import DeviceService from "node-onvif/lib/modules/service-device.js";
import MediaService from "node-onvif/lib/modules/service-media.js";
import soap from "node-onvif/lib/modules/soap.js";
import { BewaardError } from "#base/errors";
import { guardXml } from "./xml-guard.ts";

// The one file that imports node-onvif, which has not changed since 2018. It writes questions and reads
// answers for us; what it did between them is replaced here, for every object of it in this process: no
// Digest, no https, no end to an answer, and its `html.prettyPrint` stands still for minutes on nested tags
// (docs/dependencies.md). It is given no name, no password and no clock.

/** Sends an envelope to one address of one camera; resolves with what came back, whatever its status. */
export type Post = (envelope: string) => Promise<{
  readonly status: number;
  readonly text: string;
}>;

/** By the library's own object for an address: so two cameras at once cannot be taken for one another. */
const posts = new WeakMap<object, Post>();

soap._request = notOurs;
httpAuth.request = notOurs;
soap.requestCommand = async (address, method, envelope) => {
  const post = posts.get(address);
  if (post === undefined) return notOurs();
  const data = await question(post, method, envelope);
  return { soap: "", formatted: "", converted: data, data };
};

function notOurs(): never {
  throw new Error("node-onvif went past the transport it was given");
}

/** The device service of a camera. */
export function deviceService(xaddr: string, post: Post): DeviceService {
  const service = new DeviceService({ xaddr });
  posts.set(service.oxaddr, post);
  return service;
}

/** The older of the two media services. */
export function mediaService(xaddr: string, post: Post): MediaService {
  const service = new MediaService({ xaddr, time_diff: 0 });
  posts.set(service.oxaddr, post);
  return service;
}

/** Asks what the library has no words for; resolves with the body of the answer. */
export async function callService(
  post: Post,
  namespace: string,
  method: string,
  inner: string,
): Promise<unknown> {
  const body = `<q:${method}>${inner}</q:${method}>`;
  const envelope = soap.createRequestSoap({ body, xmlns: [`xmlns:q="${namespace}"`] });
  return question(post, method, envelope);
}

/**
 * Reads XML of a stranger into objects, names without their prefix.
 * @throws BewaardError CAMERA_STREAM when it is no such XML.
 */
export async function readXml(xml: string): Promise<unknown> {
  guardXml(xml);
  try {
    return await soap.parse(xml);
  } catch (cause) {
    // Its parser says by an Error of no kind where it stopped.
    throw new BewaardError("CAMERA_STREAM", "its answer is no whole XML", { cause });
  }
}

async function question(post: Post, method: string, envelope: string): Promise<unknown> {
  const { status, text } = await post(envelope);
  const body = member(await readXml(text), "Body");
  const fault = member(body, "Fault");
  if (fault !== undefined) throw saidNo(method, fault);
  if (status === 200 && member(body, `${method}Response`) !== undefined) return body;
  throw new BewaardError("CAMERA_REFUSED", `it does not answer ${method} (HTTP status ${status})`);
}

/** What it wrote of its reason is not told on: it may be anything. Its subcode is a word of the standard. */
function saidNo(method: string, fault: unknown): BewaardError {
  const subcode = JSON.stringify(member(member(fault, "Code"), "Subcode") ?? "");
  if (/NotAuthorized|FailedAuthentication|InvalidSecurity/i.test(subcode)) {
    return new BewaardError("CAMERA_LOGIN", `it does not take the login, for ${method}`);
  }
  return new BewaardError("CAMERA_REFUSED", `it refuses ${method}`);
}

/** Own members only: what a camera calls `__proto__` leads nowhere. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
