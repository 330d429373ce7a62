import type { DeviceId } from "#base/ids";
import type { Clock, Instant } from "#base/time";

/** What a camera is doing (docs/operations.md). */
export const CAMERA_STATES = [
  "not in service",
  "connecting",
  "recording",
  "stalled",
  "backing off",
  "out of period",
] as const;

type CameraState = (typeof CAMERA_STATES)[number];

/** A camera as `bewaarctl cameras list` shows it. */
export interface Shown {
  readonly device: DeviceId;
  readonly state: CameraState;
  readonly since: Instant;
  /** Why it does not record: a code of docs/troubleshooting.md. */
  readonly code: string | null;
  /** The camera's clock less ours, as it last was; null when it does not tell. */
  readonly offsetMs: number | null;
}

/** What each camera is doing, for people to look at. Forgotten with the process. */
export interface Board {
  put(device: DeviceId, state: CameraState, code?: string): void;
  offset(device: DeviceId, offsetMs: number | null): void;
  /** It is no camera of this box any more. */
  remove(device: DeviceId): void;
  all(): readonly Shown[];
}

export function openBoard(clock: Clock, devices: readonly DeviceId[]): Board {
  const since = clock.now();
  const shown = new Map<DeviceId, Shown>(
    devices.map((device) => [
      device,
      { device, state: "not in service", since, code: null, offsetMs: null },
    ]),
  );
  return {
    put(device, state, code) {
      const known = shown.get(device);
      if (known?.state === state && known.code === (code ?? null)) return;
      const at = known?.state === state ? known.since : clock.now();
      const offsetMs = known?.offsetMs ?? null;
      shown.set(device, { device, state, since: at, code: code ?? null, offsetMs });
    },
    offset(device, offsetMs) {
      const known = shown.get(device);
      if (known) shown.set(device, { ...known, offsetMs });
    },
    remove: (device) => void shown.delete(device),
    all: () => [...shown.values()],
  };
}
