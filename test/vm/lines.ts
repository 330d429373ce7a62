import { connect } from "node:net";
import { addAbortSignal } from "node:stream";
import { z } from "zod";

/** A line of QEMU's monitor (QMP) or of the guest's agent, which speaks the same. */
const lineSchema = z.looseObject({
  id: z.unknown().optional(),
  return: z.unknown().optional(),
  error: z.looseObject({ desc: z.string() }).optional(),
});
type Line = z.output<typeof lineSchema>;

/** What is asked for, once it has come. */
export interface Answer {
  readonly value: unknown;
}

/** The answer in a line. @throws when it says that what was asked failed. */
export function answerIn(line: Line): Answer {
  if (line.error) throw new Error(line.error.desc);
  return { value: line.return };
}

/**
 * Sends `asked` on a connection of its own and resolves to the first answer that `pick` finds in the lines that come.
 * @throws when the other side hangs up, or does not answer within `limitMs`.
 */
export async function ask(
  socket: string,
  asked: readonly (string | Uint8Array)[],
  pick: (line: Line) => Answer | undefined,
  limitMs: number,
): Promise<unknown> {
  const connection = addAbortSignal(AbortSignal.timeout(limitMs), connect(socket));
  connection.setEncoding("utf8");
  for (const piece of asked) connection.write(piece);
  let rest = "";
  for await (const chunk of connection) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const picked = pick(parsed(line));
      if (picked) return picked.value;
    }
  }
  throw new Error(`${socket}: hung up`);
}

function parsed(line: string): Line {
  // The agent begins its answer to a synchronisation with the byte 0xff, which is no UTF-8.
  return lineSchema.parse(JSON.parse(line.replaceAll("\ufffd", "")));
}
