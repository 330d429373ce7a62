import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Something on the network that hears probes. */
export interface Responder extends AsyncDisposable {
  readonly port: number;
  /** What it was sent. */
  readonly heard: string[];
}

/**
 * Answers each probe on loopback with every text that `answers` makes of the id of the question, once
 * `before` is done with whoever asked.
 */
export async function openResponder(
  answers: (question: string) => Iterable<string>,
  before: (asker: { address: string; port: number }) => Promise<void> = async () => undefined,
): Promise<Responder> {
  const socket = createSocket("udp4");
  const heard: string[] = [];
  socket.on("message", (message, { address, port }) => {
    const text = message.toString("utf8");
    heard.push(text);
    const question = /MessageID[^>]*>([^<]+)</.exec(text)?.[1] ?? "";
    void (async () => {
      await before({ address, port });
      for (const answer of answers(question)) socket.send(answer, port, address);
    })();
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    heard,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** What a camera answers to a probe. */
export function probeMatch(
  question: string,
  { urn = "urn:uuid:1", xaddrs = "http://127.0.0.1/onvif/device_service", name = "Balie%20cam" },
): string {
  return `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:MessageID>uuid:x</a:MessageID><a:RelatesTo>${question}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>${urn}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/${name} onvif://www.onvif.org/hardware/M1</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;
}
