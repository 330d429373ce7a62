import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { BewaardError, ERROR_CODES, type ErrorCode } from "#base/errors";
import { type Method, type Params, READ, type Result, reply } from "./protocol.ts";

/** Asks core one question over its socket. */
export type Ask = <M extends Method>(method: M, params: Params<M>) => Promise<Result<M>>;

/**
 * Asks the core that listens at `path`.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when none does, or what core answered.
 */
export function asker(path: string, signal: AbortSignal): Ask {
  return async (method, params) => {
    const answer = reply.parse(
      JSON.parse(await exchange(path, JSON.stringify({ method, params }), signal)),
    );
    if (!answer.ok)
      throw new BewaardError(codeOf(answer.code), answer.message, { transient: answer.transient });
    return READ[method](answer.result);
  };
}

async function exchange(path: string, line: string, signal: AbortSignal): Promise<string> {
  const socket = connect({ path, signal });
  try {
    socket.end(`${line}\n`);
    const answer = await text(socket);
    if (answer !== "") return answer;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw unreachable(path, cause);
  }
  throw unreachable(path, undefined);
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
