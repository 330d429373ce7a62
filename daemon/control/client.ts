import { connect } from "node:net";
import { BewaardError, ERROR_CODES, type ErrorCode } from "#base/errors";
import {
  type Method,
  type Params,
  progressLine,
  READ,
  type Result,
  reply,
  type Watch,
} from "./protocol.ts";

/** Asks core one question over its socket; `watch` hears how far a long answer is. */
export type Ask = <M extends Method>(
  method: M,
  params: Params<M>,
  watch?: Watch,
) => Promise<Result<M>>;

/**
 * Asks the core that listens at `path`.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when none does, or what core answered.
 */
export function asker(path: string, signal: AbortSignal): Ask {
  return async (method, params, watch = () => undefined) => {
    const line = await exchange(path, JSON.stringify({ method, params }), watch, signal);
    const answer = reply.parse(JSON.parse(line));
    if (!answer.ok)
      throw new BewaardError(codeOf(answer.code), answer.message, { transient: answer.transient });
    return READ[method](answer.result);
  };
}

async function exchange(
  path: string,
  question: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<string> {
  const socket = connect({ path, signal });
  try {
    socket.end(`${question}\n`);
    let answer = "";
    for await (const chunk of socket.setEncoding("utf8")) {
      answer += String(chunk);
      for (let end = answer.indexOf("\n"); isNews(answer, end); end = answer.indexOf("\n")) {
        const { progress } = progressLine.parse(JSON.parse(answer.slice(0, end)));
        watch(progress.done, progress.total);
        answer = answer.slice(end + 1);
      }
    }
    if (answer !== "") return answer;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw unreachable(path, cause);
  }
  throw unreachable(path, undefined);
}

function isNews(answer: string, end: number): boolean {
  return end >= 0 && answer.startsWith('{"progress"');
}

function unreachable(path: string, cause: unknown): BewaardError {
  return new BewaardError(
    "CONTROL_UNREACHABLE",
    `nothing answers at ${path}: is bewaard running?`,
    {
      transient: true,
      cause,
    },
  );
}

function codeOf(code: string): ErrorCode {
  return ERROR_CODES.find((known) => known === code) ?? "CONTROL_REFUSED";
}
