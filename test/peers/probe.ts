import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

const probed = z.object({
  format: z.object({ duration: z.coerce.number(), start_time: z.coerce.number() }),
  streams: z.array(z.object({ codec_type: z.string(), codec_name: z.string() })),
});

/** What ffprobe says of a file: its tracks, and how long it plays, in seconds. */
export async function probe(path: string): Promise<z.output<typeof probed>> {
  const show = ["-show_entries", "format=duration,start_time:stream=codec_type,codec_name"];
  const { stdout } = await run("ffprobe", ["-v", "error", ...show, "-of", "json", path]);
  return probed.parse(JSON.parse(stdout));
}

/** What ffmpeg complains of when it decodes the whole file; empty when nothing. */
export async function complaints(path: string): Promise<string> {
  const decode = ["-nostdin", "-v", "error", "-i", path, "-f", "null", "-"];
  const { stderr } = await run("ffmpeg", decode);
  return stderr;
}
