import { localTime, STATES } from "../cli/shown.ts";
import type { Result } from "../control/protocol.ts";

/** Something the demo promises to show. */
export interface Expectation {
  readonly expected: string;
  readonly seen: string;
}

/** Tells the demo's story to a person, and remembers whether all of it was seen. */
export interface Show {
  say(line: string): void;
  table(segments: Result<"find">["segments"]): void;
  expect(what: string, expectation: Expectation): void;
  /** The closing line; true when everything was seen as promised. */
  end(): boolean;
}

export function openShow(): Show {
  let checks = 0;
  let failed = 0;
  return {
    say,
    table(segments) {
      say("");
      say(
        `  ${"camera".padEnd(9)} ${"opgenomen / recorded".padEnd(27)} ${"toestand / state".padEnd(24)} veilig / hold`,
      );
      for (const { device, startedAt, state, hold } of segments) {
        const held = hold === "in force" ? "veiliggesteld / held" : "";
        say(
          `  ${device.padEnd(9)} ${localTime(startedAt).padEnd(27)} ${(STATES[state] ?? state).padEnd(24)} ${held}`.trimEnd(),
        );
      }
      say("");
    },
    expect(what, { expected, seen }) {
      checks += 1;
      const good = expected === seen;
      if (!good) failed += 1;
      say(
        `${good ? "✔" : "✘"} ${what}: ${seen}${good ? "" : `   (verwacht / expected: ${expected})`}`,
      );
    },
    end() {
      say(
        failed === 0
          ? `Alles gezien / all ${checks} seen.`
          : `${failed} van / of ${checks} niet gezien / not seen.`,
      );
      return failed === 0 && checks > 0;
    },
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
