import { z } from "zod";
import { BewaardError, type ErrorCode } from "#base/errors";
import type { Clock } from "#base/time";
import { callService, deviceService } from "./onvif-library.ts";
import type { OnvifSession } from "./onvif-session.ts";
import { address, element, list, perhaps, readBody, words } from "./onvif-xml.ts";

// What a camera is asked as a device: its time, what it is, and where its services are.

const WSDL = "http://www.onvif.org";
const DEVICE = `${WSDL}/ver10/device/wsdl`;
export const MEDIA = `${WSDL}/ver10/media/wsdl`;
export const MEDIA2 = `${WSDL}/ver20/media/wsdl`;
export const RECORDING = `${WSDL}/ver10/recording/wsdl`;
export const UPLINK = `${WSDL}/ver10/uplink/wsdl`;
export const ANALYTICS = `${WSDL}/ver20/analytics/wsdl`;

/** Where each service is, by its namespace, in the camera's words. */
export type Services = ReadonlyMap<string, string>;

/** Of what a camera need not know: it may say no, and then there is no answer. */
export function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  return unless(["CAMERA_REFUSED"], answer);
}

/** The same, of what it may keep from us: where another login would be the same, or none is given. */
export function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  return unless(["CAMERA_REFUSED", "CAMERA_LOGIN"], answer);
}

async function unless<T>(codes: readonly ErrorCode[], answer: Promise<T>) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BewaardError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** A time before 1970 is none that a login could be stamped with. */
const part = (from: number, until: number) => z.coerce.number().int().min(from).max(until);
const time = z.object({
  GetSystemDateAndTimeResponse: z.object({
    SystemDateAndTime: z.object({
      UTCDateTime: perhaps(
        z.object({
          Time: z.object({ Hour: part(0, 24), Minute: part(0, 59), Second: part(0, 60) }),
          Date: z.object({ Year: part(1970, 9999), Month: part(1, 12), Day: part(1, 31) }),
        }),
      ),
    }),
  }),
});

/**
 * The camera's clock less ours; undefined where it names no UTC. Asked without a login, which is stamped
 * with the answer.
 */
export async function askOffset(
  clock: Clock,
  session: OnvifSession,
  url: string,
): Promise<number | undefined> {
  const asked = clock.now();
  const body = await callService(
    session.post(new URL(url), false),
    DEVICE,
    "GetSystemDateAndTime",
    "",
  );
  const between = (asked + clock.now()) / 2;
  const { UTCDateTime: its } = readBody(time, "GetSystemDateAndTime", body)
    .GetSystemDateAndTimeResponse.SystemDateAndTime;
  if (its === undefined) return undefined;
  const { Time, Date: day } = its;
  const itsMs = Date.UTC(day.Year, day.Month - 1, day.Day, Time.Hour, Time.Minute, Time.Second);
  // It names whole seconds: on average half of one has passed.
  return Math.round(itsMs + 500 - between);
}

const services = z.object({
  GetServicesResponse: element(
    z.object({ Service: list(z.object({ Namespace: address, XAddr: address })) }),
  ),
});
const capabilities = z.object({
  GetCapabilitiesResponse: element(
    z.object({
      Capabilities: element(z.object({ Media: perhaps(z.object({ XAddr: address })) })),
    }),
  ),
});

/** Cameras of before 2012 know GetCapabilities only. */
export async function askServices(session: OnvifSession, url: string): Promise<Services> {
  const device = deviceService(url, session.post(new URL(url), true));
  // A wrong password is not tried again: cameras lock out who tries more often.
  const told = await unlessRefused(device.getServices({ IncludeCapability: false }));
  if (told !== undefined) {
    const all = readBody(services, "GetServices", told.data).GetServicesResponse.Service;
    return new Map(all.map(({ Namespace, XAddr }) => [Namespace, XAddr]));
  }
  const { data } = await device.getCapabilities();
  const { Media } = readBody(capabilities, "GetCapabilities", data).GetCapabilitiesResponse
    .Capabilities;
  return new Map(Media === undefined ? [] : [[MEDIA, Media.XAddr]]);
}

const information = z.object({
  GetDeviceInformationResponse: element(
    z.object({ Manufacturer: words, Model: words, FirmwareVersion: words, SerialNumber: words }),
  ),
});

export async function askInformation(session: OnvifSession, url: string) {
  const device = deviceService(url, session.post(new URL(url), true));
  const { data } = await device.getDeviceInformation();
  const told = readBody(information, "GetDeviceInformation", data).GetDeviceInformationResponse;
  return {
    maker: told.Manufacturer,
    model: told.Model,
    firmware: told.FirmwareVersion,
    serial: told.SerialNumber,
  };
}
