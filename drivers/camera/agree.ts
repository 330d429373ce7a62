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
  let known = await setUp(session, controlUrl(base, video.control), undefined);
  const channels = new Map<string, Channels>([["video", known.channels]]);
  if (audio !== undefined) {
    known = await setUp(session, controlUrl(base, audio.control), known);
    channels.set("audio", known.channels);
  }
  return {
    admitted: { video, audio, soundOffered },
    channels,
    known,
    aggregate,
    methods: options.headers.get("public")?.join(",") ?? "",
  };
}
