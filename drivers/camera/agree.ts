import { BewaardError } from "#base/errors";
import type { CameraAddress } from "./address.ts";
import { type Admitted, admit } from "./admitted.ts";
import type { CameraSession } from "./camera-session.ts";
import { controlUrl, sameHost } from "./control-url.ts";
import { readDescription } from "./sdp.ts";
import { type Channels, type SetUp, setUp } from "./set-up.ts";

/** What camera and gate agreed on. */
export interface Agreed {
  readonly admitted: Admitted;
  readonly channels: ReadonlyMap<string, Channels>;
  readonly known: SetUp;
  /** Where everything together is played, kept alive and torn down. */
  readonly aggregate: string;
  /** The camera's Public header. */
  readonly methods: string;
}

/**
 * Asks a camera what it has, decides what is taken of it, and sets up just that.
 * @throws BewaardError as `ask`, `admit` and `controlUrl` do.
 */
export async function agree(
  session: CameraSession,
  { url, sound }: CameraAddress,
): Promise<Agreed> {
  const options = await session.ask("OPTIONS", url, []);
  const { headers, body } = await session.ask("DESCRIBE", url, ["Accept: application/sdp"]);
  const given = headers.get("content-base") ?? headers.get("content-location");
  const base = sameHost(url, given?.[0] ?? url);
  const description = readDescription(body.toString("latin1"));
  const { video, audio, soundOffered } = admit(description, sound);
  // Before anything is set up: one word of another host, and nothing is.
  const aggregate = controlUrl(base, description.control);
  const pictureUrl = controlUrl(base, video.control);
  const soundUrl = audio && controlUrl(base, audio.control);
  const known = await setUp(session, pictureUrl, undefined);
  const channels = new Map<string, Channels>([["video", known.channels]]);
  const sounding = soundUrl === undefined ? undefined : await setUpSound(session, soundUrl, known);
  if (sounding) channels.set("audio", sounding.channels);
  return {
    admitted: { video, audio: sounding && audio, soundOffered },
    channels,
    known,
    aggregate,
    methods: options.headers.get("public")?.join(",") ?? "",
  };
}

/** Sets up the sound where the camera lets us: no picture is lost for one that does not. */
async function setUpSound(
  session: CameraSession,
  url: string,
  known: SetUp,
): Promise<SetUp | undefined> {
  try {
    return await setUp(session, url, known);
  } catch (error) {
    const refuses =
      error instanceof BewaardError &&
      (error.code === "CAMERA_REFUSED" || error.code === "CAMERA_STALLED");
    if (!refuses) throw error;
    return undefined;
  }
}
