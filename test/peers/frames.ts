import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Gate } from "../../drivers/camera/gate.ts";

const run = promisify(execFile);
/** Parameter sets, SEI and delimiters may move between packets; pictures may not. */
const PICTURES = {
  h264: "filter_units=remove_types=6-9",
  h265: "filter_units=remove_types=32-35|39-40",
} as const;

/** The hash of each picture of a file or a stream, as coded, in order. */
export async function frameHashes(
  codec: keyof typeof PICTURES,
  ...input: readonly string[]
): Promise<readonly string[]> {
  return await hashesSeen(codec, input, () => undefined);
}

/** As `frameHashes`, of what the gate `from` lets through within so many seconds. */
export async function frameHashesThrough(
  from: Pick<Gate, "url" | "admit">,
  codec: keyof typeof PICTURES,
  seconds: number,
): Promise<readonly string[]> {
  const guards = ["-protocol_whitelist", "rtsp,tcp,udp,rtp", "-rtsp_transport", "tcp"];
  const intruder = (): void => {
    throw new Error("an intruder");
  };
  return await hashesSeen(codec, [...guards, "-i", from.url, "-t", String(seconds)], (pid) =>
    from.admit(pid, intruder),
  );
}

async function hashesSeen(
  codec: keyof typeof PICTURES,
  input: readonly string[],
  started: (pid: number | undefined) => void,
): Promise<readonly string[]> {
  const only = ["-map", "0:v:0", "-c", "copy", "-bsf:v", PICTURES[codec]];
  const args = ["-nostdin", "-v", "error", ...input, ...only, "-f", "framemd5", "-"];
  const running = run("ffmpeg", args, { maxBuffer: 64 * 1024 * 1024 });
  started(running.child.pid);
  const { stdout } = await running;
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.split(",")[5]?.trim() ?? "");
}

/** What `seen` is beside a walk along `source`, which begins anew at its end. */
export interface Walk {
  readonly frames: number;
  /** Not of the source at all. */
  readonly unknown: number;
  /** Pictures that should have come between two that did. */
  readonly lost: number;
  /** Pictures that came again. */
  readonly doubled: number;
}

export function walk(source: readonly string[], seen: readonly string[]): Walk {
  const places = new Map(source.map((hash, place) => [hash, place]));
  if (places.size !== source.length) throw new Error("two pictures of the source are alike");
  const found = { unknown: 0, lost: 0, doubled: 0 };
  let previous: number | undefined;
  for (const hash of seen) {
    const place = places.get(hash);
    if (place === undefined) {
      found.unknown += 1;
      continue;
    }
    if (previous !== undefined) {
      const step = (place - previous + source.length) % source.length;
      // More than half a round forward is a step back: what came again.
      if (step === 0 || step > source.length / 2) found.doubled += 1;
      else found.lost += step - 1;
    }
    previous = place;
  }
  return { frames: seen.length, ...found };
}
