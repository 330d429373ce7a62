import { BewaardError, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import type { Offer } from "./address.ts";
import { type Take, untakeable } from "./boxes.ts";
import type { Ffmpeg, Reader, StartFfmpeg } from "./ffmpeg.ts";
import { spawnsFfmpeg } from "./spawned-ffmpeg.ts";
import { wholes } from "./wholes.ts";

/** ffmpeg at work on one camera. Disposing stops it, and waits until it has ended. */
export interface Remux extends AsyncDisposable {
  readonly reader: Reader;
  /**
   * What `take` makes of the fragmented MP4 that comes. To be called once. Ends quietly when ffmpeg ends well,
   * which says nothing of the camera, and once disposed.
   * @throws BewaardError CAMERA_STREAM when ffmpeg gives up, TOOL_MISSING; what `take` throws.
   */
  read<T>(take: Take<T>): AsyncIterable<T>;
}

// It speaks to nothing but the gate, whose address is all it is told.
const READ = [
  ..."-nostdin -hide_banner -nostats -loglevel warning".split(" "),
  ..."-protocol_whitelist rtsp,tcp -rtsp_transport tcp -timeout 5000000".split(" "),
];
const WRITE = [
  ..."-dn -sn -c copy -frag_duration 500000 -write_prft wallclock -flush_packets 1".split(" "),
  "-movflags",
  "+frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
];
// It would look for what the description says already, for a second; it must where there is sound, or it gives up.
const LOOK_BRIEFLY = "-probesize 32768 -analyzeduration 100000".split(" ");
const WITHOUT_SOUND = ["-an"];
// Sound that is late holds its picture up by no more than a fragment.
const WITH_SOUND = "-map 0:a:0 -max_interleave_delta 500000".split(" ");

/**
 * Has an ffmpeg that `start` starts ask for the stream at `url`, and repack it without coding it again (AR-16).
 * @throws BewaardError TOOL_MISSING, or MACHINE_BUSY or TOOL_NOT_STARTED (transient), when it cannot be started.
 */
export async function openRemux(
  url: string,
  offer: Offer,
  start: StartFfmpeg = spawnsFfmpeg(),
): Promise<Remux> {
  const ffmpeg = await start(argumentsFor(url, offer));
  const stopped = new AbortController();
  return {
    reader: ffmpeg.reader,
    read: (take) => read(ffmpeg, stopped.signal, take),
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await ffmpeg.stop();
      ffmpeg.output.destroy();
    },
  };
}

function argumentsFor(url: string, offer: Offer): readonly string[] {
  const sound = offer.audio !== undefined;
  return [
    ...READ,
    ...(offer.pictureKnown && !sound ? LOOK_BRIEFLY : []),
    "-allowed_media_types",
    sound ? "video+audio" : "video",
    "-i",
    url,
    "-map",
    "0:v:0",
    ...(sound ? WITH_SOUND : WITHOUT_SOUND),
    ...WRITE,
    // Safari takes H.265 by this name only.
    ...(offer.video === "h265" ? ["-tag:v", "hvc1"] : []),
    // MP4 has no place for G.711; QuickTime, which is built alike, does.
    "-f",
    offer.audio === "pcma" || offer.audio === "pcmu" ? "mov" : "mp4",
    "pipe:1",
  ];
}

async function* read<T>(
  { output, ended }: Ffmpeg,
  stopped: AbortSignal,
  take: Take<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* wholes(output, take);
    const why = await ended;
    if (why !== undefined && !stopped.aborted) throw why;
  } catch (error) {
    // What was being read when it was stopped ends in the middle. A bug is one all the same.
    const isForeseen = error instanceof BewaardError;
    const isSystems = !isForeseen && systemCode(error) !== undefined;
    if (stopped.aborted && (isForeseen || isSystems)) return;
    if (!isSystems) throw error;
    throw machineBusy(error) ?? untakeable("what ffmpeg makes cannot be read any more");
  }
}
