import type { DeviceId } from "#base/ids";
import { type Clock, type Instant, SECOND_MS } from "#base/time";

/** Whether a camera may record now: with a notice confirmed (AR-10), or covertly in its period (AR-40). */
type Service = "in service" | "not in service" | "out of period";

/** What the recorder is given of one camera. */
export interface WallCameraSettings {
  readonly number: DeviceId;
  /** rtsp:// or rtsps://, without a login in it. */
  readonly url: string;
  readonly user: string | undefined;
  /** Whether the password may go over the line as it is. */
  readonly basic: boolean;
  /** Of rtsps: SHA-256 of the certificate in DER, 64 lower-case hex digits. */
  readonly certificate: string | undefined;
  readonly building: string;
  readonly room: string | undefined;
  /** Whether sound may be asked for: the policy lists the room, the entry asks for it, and it is confirmed. */
  readonly sound: boolean;
  /** By this box's clock. A covert camera stops by itself at the end of its period. */
  readonly service: (now: Instant) => Service;
  /** The end of its period, where it is covert: nothing that comes later is kept. */
  readonly until: Instant | undefined;
  /** Known by its number only (AR-40). */
  readonly covert: boolean;
}

/** The period of a covert camera: from its first moment until just before its last. */
interface Period {
  readonly from: Instant;
  readonly until: Instant;
}

/**
 * The day of the notice is not compared with the clock: after a power cut that may say 1970, and a camera
 * which was in service would not record (docs/decisions/0015). A period is: without it nobody allowed it.
 */
export function serviceOf(
  noticed: boolean,
  covert: Period | undefined,
): WallCameraSettings["service"] {
  if (covert === undefined) return () => (noticed ? "in service" : "not in service");
  return (now) => (now >= covert.from && now < covert.until ? "in service" : "out of period");
}

/** Resolves when wall time has come to `until`, though it is set meanwhile; or when the signal aborts. */
export async function periodEnds(clock: Clock, until: Instant, signal: AbortSignal): Promise<void> {
  try {
    for (
      let leftMs = until - clock.now();
      leftMs > 0 && !signal.aborted;
      leftMs = until - clock.now()
    )
      await clock.sleep(Math.min(leftMs, SECOND_MS), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
