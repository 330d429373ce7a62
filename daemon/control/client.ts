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

/** Asks core one question over its socket, out of `Of`; `watch` hears how far a long answer is. */
export type Ask<Of extends Method = Method> = <M extends Of>(
  method: M,
  params: Params<M>,
  watch?: Watch,
) => Promise<Result<M>>;

/**
 * Asks the core that listens at `path`. Nothing of a question stays behind: a recorder asks for years.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when none does, or not to the end; or what core answered.
 */
export function asker(path: string, signal: AbortSignal): Ask {
  return async (method, params, watch = () => undefined) => {
    const line = await exchange(path, JSON.stringify({ method, params }), watch, signal);
    const answer = understood(path, () => reply.parse(JSON.parse(line)));
    if (!answer.ok)
      throw new BewaardError(codeOf(answer.code), answer.message, { transient: answer.transient });
    return understood(path, () => READ[method](answer.result));
  };
}

async function exchange(
  path: string,
  question: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  // Given the signal itself, a socket would leave a listener at it for as long as the process lives.
  const socket = connect({ path });
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener("abort", hangUp);
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
    signal.throwIfAborted();
    throw unreachable(path, cause);
  } finally {
    signal.removeEventListener("abort", hangUp);
    socket.destroy();
  }
  throw unreachable(path, undefined);
}

/** Core that dies while it answers, or is of another release, is one that does not answer. */
function understood<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `half an answer came at ${path}, or one of another release: ask again`;
    throw new BewaardError("CONTROL_UNREACHABLE", message, { transient: true, cause });
  }
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
