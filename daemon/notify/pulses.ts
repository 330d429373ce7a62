import { followingProgress } from "#base/progress";
import type { Clock } from "#base/time";

/** A loop, until the signal aborts, that lives by the clock it is given. */
export type Loop = (clock: Clock, signal: AbortSignal) => Promise<void>;

/** A loop that has neither got anywhere nor slept for longer than its deadline. */
interface Late {
  readonly loop: string;
  readonly quietMs: number;
}

/** What the loops of this process do: sleep, get somewhere, or hang. */
export interface Pulses {
  /**
   * Runs `loop` under `name` until it ends. While it sleeps it is idle until the moment it sleeps to; awake it must get
   * somewhere (`#base/progress`) within `deadlineMs`, or sleep again.
   */
  run(name: string, deadlineMs: number, loop: Loop, signal: AbortSignal): Promise<void>;
  /**
   * Looks who is late. To be asked each `periodMs`: no more than that counts as gone by since the look before, however
   * long the machine was suspended, or this process not let run. Then no loop could do anything either.
   */
  late(periodMs: number): readonly Late[];
}

interface Pulse {
  readonly name: string;
  readonly deadlineMs: number;
  /** In time awake: when it last got somewhere. */
  atMs: number;
  /** In time awake: until when each of its sleeps lasts. */
  readonly sleeps: Set<{ readonly untilMs: number }>;
}

/** `clock` is what loops sleep by, and is asked for uptime alone: a wall clock that is set makes nobody late. */
export function openPulses(clock: Clock): Pulses {
  const pulses = new Set<Pulse>();
  /** How long this process was seen to run. Noting a pulse must cost nothing, so it moves at looks only. */
  let awakeMs = 0;
  let lookedAtMs = clock.uptimeMs();

  function clockOf(pulse: Pulse): Clock {
    return {
      ...clock,
      async sleep(ms, signal) {
        const sleep = { untilMs: awakeMs + ms };
        pulse.sleeps.add(sleep);
        try {
          await clock.sleep(ms, signal);
        } finally {
          pulse.sleeps.delete(sleep);
          pulse.atMs = awakeMs;
        }
      },
    };
  }

  const quietSince = ({ atMs, sleeps }: Pulse): number =>
    [...sleeps].reduce((latest, { untilMs }) => Math.max(latest, untilMs), atMs);

  return {
    async run(name, deadlineMs, loop, signal) {
      const pulse: Pulse = { name, deadlineMs, atMs: awakeMs, sleeps: new Set() };
      pulses.add(pulse);
      try {
        const beat = (): void => void (pulse.atMs = awakeMs);
        await followingProgress(beat, () => loop(clockOf(pulse), signal));
      } finally {
        pulses.delete(pulse);
      }
    },
    late(periodMs) {
      const nowMs = clock.uptimeMs();
      awakeMs += Math.min(periodMs, Math.max(0, nowMs - lookedAtMs));
      lookedAtMs = nowMs;
      return (
        [...pulses]
          .map((pulse) => ({ pulse, quietMs: awakeMs - quietSince(pulse) }))
          // When in the period before it was noted nobody knows.
          .filter(({ pulse, quietMs }) => quietMs > pulse.deadlineMs + periodMs)
          .map(({ pulse, quietMs }) => ({ loop: pulse.name, quietMs }))
      );
    },
  };
}
