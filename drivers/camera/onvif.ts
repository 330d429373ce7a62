import { z } from "zod";
import { deadline } from "#base/deadline";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import {
  ANALYTICS,
  askInformation,
  askOffset,
  askServices,
  RECORDING,
  type Services,
  UPLINK,
  unlessForbidden,
} from "./onvif-device.ts";
import { callService } from "./onvif-library.ts";
import { askProfiles } from "./onvif-media.ts";
import type { Profile } from "./onvif-profiles.ts";
import { type OnvifAddress, type OnvifSession, openSession } from "./onvif-session.ts";
import { element, list, readBody, words } from "./onvif-xml.ts";

/** Whether a camera does something by itself; many do not tell. */
export type Told = "on" | "off" | "unknown";

/** What a camera says of itself. Nothing in it was checked; null is what it does not say. */
export interface Description {
  readonly maker: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
  readonly serial: string | null;
  /** Its clock less ours, to about a second. */
  readonly clockOffsetMs: number | null;
  /** Each with where its stream is: on the host that was asked, without a login in it. */
  readonly profiles: readonly (Profile & { readonly url: string | null })[];
  /** Onto a card or disk of its own. */
  readonly ownRecording: Told;
  /** To its maker's service, or another, elsewhere. */
  readonly cloud: Told;
  readonly analytics: Told;
}

/** For all questions together. */
const PATIENCE_MS = 20_000;

/**
 * Asks a camera what it is and what it offers. Changes nothing at it.
 * @throws BewaardError CAMERA_LOGIN; CAMERA_REFUSED, also when it names another host for what is asked next,
 * to which nothing is sent; CAMERA_STREAM; and transient CAMERA_UNREACHABLE, CAMERA_STALLED, CAMERA_LOST.
 */
export async function describe(
  clock: Clock,
  camera: OnvifAddress,
  signal: AbortSignal,
): Promise<Description> {
  const patience = deadline(PATIENCE_MS, signal);
  try {
    return await describeAll(clock, camera, patience);
  } catch (error) {
    if (signal.aborted || !patience.aborted) throw error;
    const message = `it takes more than ${PATIENCE_MS / 1000} s to describe itself`;
    throw new BewaardError("CAMERA_STALLED", message, { transient: true, cause: error });
  }
}

async function describeAll(
  clock: Clock,
  camera: OnvifAddress,
  signal: AbortSignal,
): Promise<Description> {
  const session = openSession(clock, camera, signal);
  const offsetMs = await unlessForbidden(askOffset(clock, session, camera.url));
  session.setOffset(offsetMs ?? 0);
  const services = await askServices(session, camera.url);
  const about = await askInformation(session, camera.url);
  const profiles = await askProfiles(session, services, camera.login);
  const analyses = profiles.some(({ analytics }) => analytics);
  return {
    ...about,
    clockOffsetMs: offsetMs ?? null,
    profiles,
    ownRecording: await askRecording(session, services),
    cloud: await askCloud(session, services),
    analytics: analyses ? "on" : services.has(ANALYTICS) ? "off" : "unknown",
  };
}

const jobs = z.object({
  GetRecordingJobsResponse: element(
    z.object({ JobItem: list(z.object({ JobConfiguration: z.object({ Mode: words }) })) }),
  ),
});

async function askRecording(session: OnvifSession, services: Services): Promise<Told> {
  const body = await askOf(session, services, RECORDING, "GetRecordingJobs");
  // One that has no such service may still have a card in it.
  if (body === undefined) return "unknown";
  const { JobItem: all } = readBody(jobs, "GetRecordingJobs", body).GetRecordingJobsResponse;
  return all.some(({ JobConfiguration: { Mode } }) => Mode === "Active") ? "on" : "off";
}

const uplinks = z.object({
  GetUplinksResponse: element(z.object({ Configuration: list(z.unknown()) })),
});

async function askCloud(session: OnvifSession, services: Services): Promise<Told> {
  const body = await askOf(session, services, UPLINK, "GetUplinks");
  if (body === undefined) return "unknown";
  const { Configuration: all } = readBody(uplinks, "GetUplinks", body).GetUplinksResponse;
  return all.length > 0 ? "on" : "off";
}

/** What a service answers; undefined where the camera has none, or does not want to say. */
async function askOf(
  session: OnvifSession,
  services: Services,
  namespace: string,
  method: string,
): Promise<unknown> {
  const named = services.get(namespace);
  if (named === undefined) return undefined;
  const post = session.post(session.service(named), true);
  return unlessForbidden(callService(post, namespace, method, ""));
}
