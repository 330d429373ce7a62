import type { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import type { Clock, Instant } from "#base/time";
import type { Damage } from "../../drivers/camera/damage.ts";
import type { Backlog } from "./backlog.ts";
import type { CameraHistory } from "./camera-history.ts";
import type { Reading } from "./reading.ts";
import type { RecordSealing } from "./sealing.ts";

/** What it takes to keep what one camera sends. */
export interface RecordedCamera {
  readonly clock: Clock;
  readonly device: DeviceId;
  readonly reading: Reading;
  readonly sealing: RecordSealing;
  readonly backlog: Backlog;
  readonly history: CameraHistory;
  readonly segmentMs: number;
  /** Nothing is kept that comes later, if it is said (AR-40). */
  readonly until: Instant | undefined;
  /** Aborts when the recorder stops: the disk is waited for no longer. */
  readonly stopping: AbortSignal;
  /** A running segment goes to the disk: the camera is recorded. */
  onWritten(): void;
  /** The disk is full: what comes waits in memory while the disk is asked again. Said as often as it is seen. */
  onFull(): void;
  /** Pictures are dropped, with so many bytes waiting, for this reason. */
  onDropped(waitingBytes: number, why: BewaardError): void;
  /** A segment lacks so many packets that the camera sent, or says it sent. */
  onDamaged(packets: number): void;
  /** A segment, or its end, could not be kept. */
  onUnkept(why: BewaardError): void;
  /** Follows what is being handed over, beside what is being recorded. */
  follow(closing: Promise<void>): void;
}

/** The same, over one connection. */
export interface Recorded extends RecordedCamera {
  readonly damaged: Damage["within"];
}
