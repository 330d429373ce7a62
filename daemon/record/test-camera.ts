import { BewaardError, type ErrorCode } from "#base/errors";
import type { DeviceId } from "#base/ids";
import type { Clock, Instant } from "#base/time";
import { findMistakes } from "../../config/configuration.ts";
import { readConfig } from "../../config/load.ts";
import type { Mistake } from "../../config/mistake.ts";
import type { Config } from "../../config/schema.ts";
import { readPassword } from "../../config/secrets.ts";
import type { CameraLogin } from "../../drivers/camera/address.ts";
import { type Description, describe } from "../../drivers/camera/onvif.ts";
import type { Profile } from "../../drivers/camera/onvif-profiles.ts";
import { passwordName, recorderFolder, wallCameras } from "../places.ts";
import { type Trial, tryStream } from "./trial.ts";
import type { WallCameraSettings } from "./wall-camera.ts";
import { type Why, whyNotStored } from "./whether-stored.ts";

/** A camera as `list` tells of it. A covert one has no place (AR-40). */
export interface Listed {
  readonly number: DeviceId;
  readonly place: string | null;
  readonly service: ReturnType<WallCameraSettings["service"]>;
}

/** What went wrong in one half of a test; the other half is told all the same. */
export interface Failed {
  readonly code: ErrorCode;
  /** Null of a covert camera: a message may name an address. */
  readonly message: string | null;
}

/** What a camera says of itself, as it may be shown: of a covert one much is null. */
export interface Shown extends Omit<Description, "profiles"> {
  readonly profiles: readonly ShownProfile[];
}

type ShownProfile = { readonly [Key in keyof Profile | "url"]: Described[Key] | null };
type Described = Description["profiles"][number];

export interface Tested extends Listed {
  /** Null where its entry does not say that it speaks ONVIF, and where nobody may look now. */
  readonly onvif: Shown | Failed | null;
  /** Null where nobody may look now. */
  readonly stream: Trial | Failed | null;
  readonly stored: boolean;
  readonly why: readonly Why[];
}

/** Every camera in a building, in the order of the configuration. */
export function listCameras(config: Config, now: Instant): readonly Listed[] {
  return wallCameras(config).map(({ number, building, room, covert, service }) => ({
    number,
    place: covert ? null : [building, ...(room === undefined ? [] : [room])].join("/"),
    service: service(now),
  }));
}

/**
 * Looks at camera `number` of the configuration at `path`, over ONVIF and at its stream. Nothing is kept.
 * @throws BewaardError DESK_INPUT for another number; those of `readConfig` and `readPassword`.
 */
export async function testCamera(
  clock: Clock,
  path: string,
  number: DeviceId,
  signal: AbortSignal,
): Promise<Tested> {
  const config = await readConfig(path);
  const index = config.cameras.findIndex((one) => one.number === number);
  const [entry, settings, listed] = [
    config.cameras[index],
    wallCameras(config)[index],
    listCameras(config, clock.now())[index],
  ];
  if (entry === undefined || settings === undefined || listed === undefined) {
    const message = `"${number}": geen camera in een gebouw / no camera in a building`;
    throw new BewaardError("DESK_INPUT", message);
  }
  const mistakes = await findMistakes(path);
  const isOwn = ({ file, where }: Mistake): boolean =>
    file === path && where.startsWith(`cameras.${index}.`);
  const own = mistakes.filter(isOwn);
  const login = await loginOf(config, entry);
  const { onvif: url, certificate } = entry;
  const { covert } = settings;
  // Nobody is logged in to out of the period, nor looked at.
  const idle = listed.service === "out of period";
  const onvif =
    url === undefined || idle
      ? null
      : await tried(covert, async () => {
          const described = await describe(clock, { url, login, certificate }, signal);
          return covert ? unlocated(described) : described;
        });
  const { basic } = entry;
  // What policy does not list is not asked for, not even to try.
  const sound = settings.sound && own.length === 0;
  const address = { url: entry.url, login, basic, certificate, sound };
  const stream = idle ? null : await tried(covert, () => tryStream(clock, address, signal));
  const elsewhere = mistakes.filter((one) => !isOwn(one));
  const why = whyNotStored(settings, { own, elsewhere }, clock.now());
  const runs = stream !== null && !("code" in stream);
  return { ...listed, onvif, stream, stored: runs && why.length === 0, why };
}

/** Nothing by which a covert camera could be found: whoever tests it knows its number (AR-40). */
function unlocated(described: Description): Shown {
  const profiles = described.profiles.map(({ codec, width, height, fps }) => ({
    ...NOT_SHOWN,
    codec,
    width,
    height,
    fps,
  }));
  return { ...described, serial: null, profiles };
}

const NOT_SHOWN = {
  token: null,
  name: null,
  gopFrames: null,
  bitrateKbps: null,
  sound: null,
  analytics: null,
  url: null,
};

async function loginOf(
  config: Config,
  { number, user }: Config["cameras"][number],
): Promise<CameraLogin | undefined> {
  if (user === undefined) return undefined;
  return { user, password: await readPassword(passwordName(number), recorderFolder(config)) };
}

async function tried<T>(covert: boolean, look: () => Promise<T>): Promise<T | Failed> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return { code: error.code, message: covert ? null : error.message };
  }
}
