import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import { listenAt } from "./listen.ts";
import { type Answers, METHODS, type Method, request, type Watch } from "./protocol.ts";

/** A card of 100,000 files asks whether they are known in under this much. */
const REQUEST_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Answers at the socket `path`, and no other than `methods`, until the signal aborts. Who may open the socket (its owner
 * and group) may ask. A socket left by a crash is replaced: the lease says that no other core runs. Who neither asks
 * nor listens for `patienceMs` is hung up on; an answer may take as long as it takes.
 */
export async function control(
  path: string,
  methods: readonly Method[],
  answers: Answers,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const letIn = (socket: Socket): void => {
    socket.setTimeout(patienceMs).on("timeout", () => socket.destroy());
    void converse(socket, methods, answers, patienceMs);
  };
  // The asker closes its side after the question; the answer goes out on the other.
  await listenAt(path, letIn, signal, { allowHalfOpen: true });
}

async function converse(
  socket: Socket,
  methods: readonly Method[],
  answers: Answers,
  patienceMs: number,
): Promise<void> {
  const watch = telling(socket);
  const answer = await answered(socket, methods, answers, watch);
  socket.setTimeout(patienceMs);
  socket.end(`${JSON.stringify(answer)}\n`);
}

/** Tells the asker how far it is, a hundred times at most; nobody need listen. */
function telling(socket: Socket): Watch {
  let told = 0;
  return (done, total) => {
    const percent = Math.min(99, Math.floor((100 * done) / total));
    if (percent <= told || !socket.writable) return;
    told = percent;
    socket.write(`${JSON.stringify({ progress: { done: percent, total: 100 } })}\n`);
  };
}

async function answered(
  socket: Socket,
  methods: readonly Method[],
  answers: Answers,
  watch: Watch,
): Promise<object> {
  try {
    const { method: asked, params } = request.parse(JSON.parse(await question(socket)));
    const method = methods.find((one) => one === asked);
    // Verifying the hashes of a large vault says nothing for longer than anybody may be silent.
    socket.setTimeout(0);
    if (method === undefined)
      throw new BewaardError("CONTROL_REFUSED", `no such question here: ${asked}`);
    return { ok: true, result: await dispatch(method, params, answers, watch) };
  } catch (error) {
    if (error instanceof BewaardError)
      return { ok: false, code: error.code, message: error.message, transient: error.transient };
    const message = error instanceof Error ? error.message : "not understood";
    return { ok: false, code: "CONTROL_REFUSED", message, transient: false };
  }
}

async function question(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > REQUEST_LIMIT_BYTES)
      throw new BewaardError("CONTROL_REFUSED", "the question is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function dispatch(
  method: Method,
  params: unknown,
  answers: Answers,
  watch: Watch,
): Promise<unknown> {
  switch (method) {
    case "status":
      return answers.status(METHODS.status.params.parse(params), watch);
    case "find":
      return answers.find(METHODS.find.params.parse(params), watch);
    case "clock.confirm":
      return answers["clock.confirm"](METHODS["clock.confirm"].params.parse(params), watch);
    case "verify":
      return answers.verify(METHODS.verify.params.parse(params), watch);
    case "ledger.head":
      return answers["ledger.head"](METHODS["ledger.head"].params.parse(params), watch);
    case "ledger.prove":
      return answers["ledger.prove"](METHODS["ledger.prove"].params.parse(params), watch);
    case "ledger.verify":
      return answers["ledger.verify"](METHODS["ledger.verify"].params.parse(params), watch);
    case "holds":
      return answers.holds(METHODS.holds.params.parse(params), watch);
    case "duties":
      return answers.duties(METHODS.duties.params.parse(params), watch);
    case "duties.done":
      return answers["duties.done"](METHODS["duties.done"].params.parse(params), watch);
    case "bodycams.mark":
      return answers["bodycams.mark"](METHODS["bodycams.mark"].params.parse(params), watch);
    case "bodycams.marks":
      return answers["bodycams.marks"](METHODS["bodycams.marks"].params.parse(params), watch);
    case "docks.wipe":
      return answers["docks.wipe"](METHODS["docks.wipe"].params.parse(params), watch);
    case "docks.report":
      return answers["docks.report"](METHODS["docks.report"].params.parse(params), watch);
    case "docks.set-time":
      return answers["docks.set-time"](METHODS["docks.set-time"].params.parse(params), watch);
    case "known":
      return answers.known(METHODS.known.params.parse(params), watch);
    case "room":
      return answers.room(METHODS.room.params.parse(params), watch);
    case "bodycams":
      return answers.bodycams(METHODS.bodycams.params.parse(params), watch);
    case "bodycams.pair":
      return answers["bodycams.pair"](METHODS["bodycams.pair"].params.parse(params), watch);
    case "bodycams.retire":
      return answers["bodycams.retire"](METHODS["bodycams.retire"].params.parse(params), watch);
    case "bodycams.identify":
      return answers["bodycams.identify"](METHODS["bodycams.identify"].params.parse(params), watch);
    case "docks":
      return answers.docks(METHODS.docks.params.parse(params), watch);
    case "docks.news":
      return answers["docks.news"](METHODS["docks.news"].params.parse(params), watch);
    case "docks.pairings":
      return answers["docks.pairings"](METHODS["docks.pairings"].params.parse(params), watch);
    default:
      throw new BewaardError("CONTROL_REFUSED", "no such question");
  }
}
