import { randomBytes } from "node:crypto";
import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { CameraSession } from "./camera-session.ts";
import { receiverReport } from "./receiver-report.ts";
import type { SetUp } from "./set-up.ts";

const REPORT_MS = 5 * SECOND_MS;

/**
 * Keeps the camera's session alive at half its time-out, by GET_PARAMETER where `methods` (its Public header)
 * has it. A camera that sends its stream and does not answer is left in peace: some never do.
 * @throws BewaardError as `ask` does: CAMERA_STALLED when nothing at all comes, CAMERA_LOGIN, CAMERA_REFUSED.
 */
export async function keepAlive(
  clock: Clock,
  session: CameraSession,
  { session: id, timeoutMs }: SetUp,
  url: string,
  methods: string,
  signal: AbortSignal,
): Promise<void> {
  let method = /\bGET_PARAMETER\b/i.test(methods) ? "GET_PARAMETER" : "OPTIONS";
  let first = true;
  for await (const _ of every(clock, timeoutMs / 2, signal)) {
    const before = session.heard();
    // SETUP was heard just now.
    if (first) {
      first = false;
      continue;
    }
    try {
      await session.ask(method, url, [`Session: ${id}`]);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BewaardError)) throw error;
      const { code } = error;
      if (code === "CAMERA_STALLED" && session.heard() > before) continue;
      if (code !== "CAMERA_REFUSED" || method === "OPTIONS") throw error;
      // It said that it knows it, and does not.
      method = "OPTIONS";
    }
  }
}

/** Reports every five seconds that somebody receives: see `receiverReport`. */
export async function reportReception(
  clock: Clock,
  session: CameraSession,
  channel: number,
  signal: AbortSignal,
): Promise<void> {
  const source = randomBytes(4).readUInt32BE(0);
  for await (const _ of every(clock, REPORT_MS, signal)) {
    session.send(receiverReport(channel, source));
  }
}
