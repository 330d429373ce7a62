import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { type Instant, MINUTE_MS } from "#base/time";
import type { Events } from "../events.ts";
import type { Shown } from "../record/board.ts";
import type { WallCameraSettings } from "../record/wall-camera.ts";
import { type Alarm, once, type Sign } from "./alarm.ts";

/** A spell of recording that is shorter is none: a camera that comes and goes is not kept. */
const AGAIN_MS = 2 * MINUTE_MS;
/** Between two looks: of one that has recorded for less nobody knows that it did so all the time since the last. */
const AT_LEAST_MS = MINUTE_MS;

/** What the recorder says of its cameras. Throws CONTROL_UNREACHABLE when none answers. */
type AskStates = (signal: AbortSignal) => Promise<readonly Shown[]>;

/** What the alarm is about when the recorder itself does not answer. */
const RECORDER = "recorder";

type Camera = Pick<WallCameraSettings, "number" | "service">;

/**
 * A camera in service is not recorded for longer than `afterMs`, whatever it says of itself meanwhile; or the recorder does not
 * answer, which is told once and not for each camera.
 */
export function notRecording(
  events: Events,
  askStates: AskStates,
  cameras: readonly Camera[],
  afterMs: number,
): Alarm {
  return {
    name: "not-recording",
    rule: { raiseAfterMs: afterMs, clearAfterMs: AGAIN_MS, stage: once },
    look: async (now, isRaised, signal) => {
      const wanted = cameras.filter(({ service }) => service(now) === "in service");
      if (wanted.length === 0) return [];
      const states = await statesOrNone(askStates, signal);
      if (states !== undefined)
        return wanted.flatMap(({ number }) => signOf(events, number, states, now));
      const none = () => events.notRecording(null, wanted.length, null, null);
      // Those that were told of before are no better for it.
      const still = wanted.filter(({ number }) => isRaised(number));
      return [
        { about: RECORDER, tell: none },
        ...still.map(({ number }) => ({ about: number, tell: none })),
      ];
    },
    tellOver: (about, since) => events.notRecordingOver(about === RECORDER ? null : about, since),
  };
}

function signOf(
  events: Events,
  number: DeviceId,
  states: readonly Shown[],
  now: Instant,
): readonly Sign[] {
  const state = states.find(({ device }) => device === number);
  // A clock that was set back makes nobody's recording short.
  if (state?.state === "recording" && Math.abs(now - state.since) >= AT_LEAST_MS) return [];
  const tell = () => events.notRecording(number, 1, state?.state ?? null, state?.code ?? null);
  return [{ about: number, tell }];
}

/** None too once `signal` has aborted, whatever that made of the question: nobody is told any more. */
async function statesOrNone(
  askStates: AskStates,
  signal: AbortSignal,
): Promise<readonly Shown[] | undefined> {
  try {
    return await askStates(signal);
  } catch (error) {
    if (!signal.aborted && !(error instanceof BewaardError)) throw error;
    return undefined;
  }
}
