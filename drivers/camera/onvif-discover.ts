import { randomUUID } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { promisify } from "node:util";
import { BewaardError, systemCode } from "#base/errors";
import type { Clock } from "#base/time";
import { type Found, readMatches } from "./onvif-matches.ts";

/** Where to look. */
export interface Where {
  /** Our own address there; undefined: where the system has its route. */
  readonly from: string | undefined;
  /** One device, or everybody at once. */
  readonly to: { readonly address: string; readonly port: number };
}

export const EVERYBODY = { address: "239.255.255.250", port: 3702 };

const LISTEN_MS = 3000;
const ANSWER_LIMIT = 256;
/** A recorder answers for each camera behind it; one that floods does not drown the others. */
const ANSWERS_OF_ONE = 64;
const ANSWER_LIMIT_BYTES = 64 * 1024;

/**
 * Asks who speaks ONVIF, twice, and listens for three seconds (WS-Discovery); of all it hears, at most 256
 * answers. Sends no login. Everything found is a claim of whoever answered: a proposal to a person.
 * @throws BewaardError CAMERA_UNREACHABLE when nothing can be sent there.
 */
export async function discover(
  clock: Clock,
  where: Where,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const ids = [randomUUID(), randomUUID()].map((id) => `urn:uuid:${id}`);
  const socket = createSocket("udp4");
  const heard = collected(socket, ids);
  try {
    await open(socket, where);
    for (const id of ids) {
      await send(socket, probe(id), where);
      await clock.sleep(LISTEN_MS / ids.length, signal);
    }
  } catch (error) {
    if (signal.aborted || systemCode(error) === undefined) throw error;
    const message = `nothing can be asked at ${where.to.address} (${systemCode(error)})`;
    throw new BewaardError("CAMERA_UNREACHABLE", message, { transient: true, cause: error });
  } finally {
    socket.close();
  }
  const found = new Map<string, Found>();
  for (const { text, address } of heard) {
    for (const one of await readMatches(text, address, ids)) {
      // The addresses that a device has, it repeats in each answer.
      const key = `${one.address} ${one.urn}`;
      if (!found.has(key)) found.set(key, one);
    }
  }
  return [...found.values()];
}

/** What names none of our questions is not counted: it needs no more than an address to send it from. */
function collected(
  socket: Socket,
  questions: readonly string[],
): readonly { text: string; address: string }[] {
  const heard: { text: string; address: string }[] = [];
  socket.on("message", (message: Buffer, { address }: RemoteInfo) => {
    if (message.length > ANSWER_LIMIT_BYTES || heard.length >= ANSWER_LIMIT) return;
    if (heard.filter((one) => one.address === address).length >= ANSWERS_OF_ONE) return;
    const text = message.toString("utf8");
    if (questions.some((id) => text.includes(id))) heard.push({ text, address });
  });
  return heard;
}

async function open(socket: Socket, { from, to }: Where): Promise<void> {
  socket.bind({ port: 0, ...(from === undefined ? {} : { address: from }) });
  await once(socket, "listening");
  // "Nobody there" of one address that was asked; that is heard by silence too.
  socket.on("error", () => undefined);
  if (from !== undefined && to.address === EVERYBODY.address) socket.setMulticastInterface(from);
}

async function send(socket: Socket, text: string, { to }: Where): Promise<void> {
  const message = Buffer.from(text);
  await promisify((done: (error: Error | null) => void) => {
    socket.send(message, to.port, to.address, done);
  })();
}

function probe(id: string): string {
  const soap = "http://www.w3.org/2003/05/soap-envelope";
  const ws = "http://schemas.xmlsoap.org/ws";
  return [
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${soap}" xmlns:a="${ws}/2004/08/addressing">`,
    `<s:Header><a:Action s:mustUnderstand="1">${ws}/2005/04/discovery/Probe</a:Action>`,
    `<a:MessageID>${id}</a:MessageID>`,
    `<a:ReplyTo><a:Address>${ws}/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>`,
    `<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>`,
    `<s:Body><d:Probe xmlns:d="${ws}/2005/04/discovery">`,
    `<d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">n:NetworkVideoTransmitter</d:Types>`,
    "</d:Probe></s:Body></s:Envelope>",
  ].join("");
}
