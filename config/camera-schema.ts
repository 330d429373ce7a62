import { z } from "zod";
import { namesLogin } from "#base/login-in-address";
import { DAY_MS } from "#base/time";
import {
  cameraNumber,
  day,
  manager,
  moment,
  over,
  parsedBy,
  plainUrl,
  reference,
  slug,
} from "./values.ts";

// A camera in a building, as the site accepted it. Its password is a secret and has a file of its own. What
// no camera is asked for (places, analysis, metadata) has no key (DH-05, AR-12, AR-13).

/** Longer is another decision: a covert camera is there for a stated period (AR-40). */
const COVERT_LIMIT_MS = 92 * DAY_MS;

const STREAM = 'write an address like "rtsp://10.1.2.3/stream1": no name, password or # in it';
const ONVIF = "leave out what logs in: the name stands in user, the password in its file";
const USER = "write the name that the camera knows, without colon, quote or backslash";
const CERTIFICATE = "write the SHA-256 fingerprint of its certificate: 64 hexadecimal digits";
const NOTE = "write in one line why a camera is needed here, without naming a person";

const confirmation = z.strictObject({
  confirmed_on: day.describe("The day somebody saw that it is there."),
  by: manager.describe("Who confirms it. Which role, not which person."),
});

const covert = z
  .strictObject({
    decision: reference.describe("Number of the decision."),
    decided_by: manager.describe("Who decided: as the policy's covert.decided_by says."),
    from: moment.describe("When it begins."),
    until: moment.describe("When it ends, by itself: at most 92 days later."),
  })
  .refine(({ from, until }) => until > from, {
    ...over("until", "from"),
    message: "later than from (AR-40)",
  })
  .refine(({ from, until }) => until - from <= COVERT_LIMIT_MS, {
    ...over("until", "from"),
    message: "at most 92 days after from (AR-40): longer is another decision",
  });

export const wallCamera = z
  .strictObject({
    number: cameraNumber,
    // An address inside the site's network is nobody else's business.
    url: z
      .string(STREAM)
      .refine(isStreamUrl, STREAM)
      .meta({ "x-personal": true })
      .describe("Where its stream is, over rtsp or rtsps. Its login does not stand here."),
    user: z
      .string(USER)
      .regex(/^[^\p{C}:"\\]{1,64}$/u, USER)
      .meta({ "x-personal": true })
      .optional()
      .describe("The name to log in with; the password has a file of its own."),
    basic: z
      .boolean()
      .default(false)
      .describe("Whether the password may go over the line as it is, where it asks for that."),
    certificate: z
      .string(CERTIFICATE)
      .transform(parsedBy(fingerprint, CERTIFICATE))
      .optional()
      .describe("For rtsps, and https of onvif: SHA-256 fingerprint of the camera's certificate."),
    onvif: plainUrl
      .refine((text) => !namesLogin(text), ONVIF)
      .meta({ "x-personal": true })
      .optional()
      .describe("Where it answers ONVIF, for `bewaarctl cameras test`."),
    paired: day.describe("The day it came into service here."),
    building: slug.describe("Where it hangs: one of the policy's buildings (AR-01, AR-04)."),
    room: slug.optional().describe("The room in it."),
    sound: z
      .boolean()
      .default(false)
      .describe("Whether it records sound: only in a room of the policy's sound (AR-14)."),
    notice: confirmation
      .optional()
      .describe("That its notice hangs at the entrance. Without it: not in service (AR-10)."),
    sound_notice: confirmation
      .optional()
      .describe("That people there are told of the sound; by itself (AR-15)."),
    necessity: z
      .strictObject({
        note: z
          .string(NOTE)
          .trim()
          .regex(/^[^\p{C}]{10,500}$/u, NOTE)
          .meta({ "x-personal": true })
          .describe("Why a camera is needed here (AR-45). Never a person."),
        dpia: reference.describe("Number of the data protection impact assessment."),
      })
      .optional()
      .describe("Why it is there (AR-45). Every camera has it, but a covert one."),
    covert: covert
      .optional()
      .describe("A covert camera, for a stated period (AR-40). It needs no notice, and no sound."),
  })
  .refine(({ url, certificate }) => (url.startsWith("rtsps:") ? certificate !== undefined : true), {
    ...over("certificate", "url"),
    message: "rtsps goes to one camera only: name the fingerprint of its certificate",
  })
  .refine(
    ({ url, onvif, certificate }) =>
      certificate === undefined ||
      url.startsWith("rtsps:") ||
      onvif?.toLowerCase().startsWith("https:") === true,
    {
      ...over("certificate", "url", "onvif"),
      message: "leave it out, or write rtsps, or https in onvif: nothing else shows a certificate",
    },
  )
  .refine(({ basic, user }) => !basic || user !== undefined, {
    ...over("user", "basic"),
    message: "the name that goes with basic",
  })
  .refine(({ necessity, covert: period }) => necessity !== undefined || period !== undefined, {
    ...over("necessity", "covert"),
    message: "{ note, dpia }: why a camera is needed here (AR-45)",
  })
  .refine(
    ({ sound, room, covert: period }) => !sound || period !== undefined || room !== undefined,
    {
      ...over("room", "sound", "covert"),
      message: "sound is of one room (AR-14)",
    },
  )
  .refine(
    ({ sound, sound_notice, covert: period }) =>
      !sound || period !== undefined || sound_notice !== undefined,
    {
      ...over("sound_notice", "sound", "covert"),
      message: "{ confirmed_on, by }: sound has a confirmation of its own (AR-15)",
    },
  )
  .refine(({ sound, covert: period }) => !sound || period === undefined, {
    ...over("sound", "covert"),
    message: "leave it out: a covert camera records no sound",
  });

/** A stream of one host, and nothing in its address that logs in. */
function isStreamUrl(text: string): boolean {
  if (!/^rtsps?:\/\/[\x21-\x7e]{1,500}$/.test(text) || !URL.canParse(text)) return false;
  const { hostname, username, password, port } = new URL(text);
  return (
    /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/i.test(hostname) &&
    `${username}${password}` === "" &&
    port !== "0" &&
    !text.includes("#") &&
    // Cameras there are that take a login so; this file goes into the ledger.
    !namesLogin(text)
  );
}

/** As openssl prints it, or without its colons. */
function fingerprint(text: string): string | undefined {
  if (!/^(?:[0-9a-f]{64}|(?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i.test(text)) return undefined;
  return text.replaceAll(":", "").toLowerCase();
}
