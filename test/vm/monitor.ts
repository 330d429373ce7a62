import { answerIn, ask } from "./lines.ts";

/** Commands of QEMU itself: what is plugged in, and the power. */
export type Monitor = (execute: string, given?: object) => Promise<unknown>;

/** A snapshot writes all of the guest's memory. */
const LIMIT_MS = 120_000;

/** The monitor behind `socket`. Its calls throw what QEMU says is wrong. */
export function monitorOf(socket: string): Monitor {
  let last = 0;
  return async (execute, given = {}) => {
    const id = ++last;
    const asked = [{ execute: "qmp_capabilities" }, { execute, arguments: given, id }];
    const lines = asked.map((line) => `${JSON.stringify(line)}\n`);
    return ask(socket, lines, (line) => (line.id === id ? answerIn(line) : undefined), LIMIT_MS);
  };
}
