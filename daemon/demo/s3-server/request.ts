import type { IncomingMessage } from "node:http";
import { Refusal } from "./refusal.ts";

/** One request, as S3 reads it. */
export interface S3Request {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** Path as sent, still encoded: the signature is over it. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Empty when the service itself is meant. */
  readonly bucket: string;
  /** Empty when the bucket itself is meant. */
  readonly key: string;
  /** A header's value by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly secure: boolean;
  /** Tells a client that waits for it ("100 Continue") to send its body. */
  readonly goOn: () => void;
}

const LONGEST_KEY_BYTES = 1024;

/** Reads addresses with the bucket in their path: a server on 127.0.0.1 is met by no other. */
export function readRequest(
  incoming: IncomingMessage,
  secure: boolean,
  goOn: () => void,
): S3Request {
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const slash = path.indexOf("/", 1);
  const key = slash < 0 ? "" : decoded(path.slice(slash + 1));
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) throw new Refusal(400, "KeyTooLongError");
  return {
    incoming,
    method: incoming.method ?? "GET",
    path,
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    bucket: decoded(slash < 0 ? path.slice(1) : path.slice(1, slash)),
    key,
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(",") : value;
    },
    secure,
    goOn,
  };
}

/** Every header whose name begins with `prefix`. */
export function headersFrom(request: S3Request, prefix: string): Record<string, string> {
  const names = Object.keys(request.incoming.headers).filter((name) => name.startsWith(prefix));
  return Object.fromEntries(names.map((name) => [name, request.header(name) ?? ""]));
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "InvalidURI");
  }
}
