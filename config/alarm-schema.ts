import { isIP } from "node:net";
import { z } from "zod";
import { HOUR_MS } from "#base/time";
import { duration } from "./values.ts";

// What a site decides of the alarms an operator needs, and of who reads metrics.

const AN_HOUR = 'at least "1 hour"';
const hoursOrMore = duration.refine((ms) => ms >= HOUR_MS, { message: AN_HOUR });

/** What a site decides of them; the policy has how long a bodycam stays away, and the law the rest. */
export const alarmsSchema = z.strictObject({
  not_recording_minutes: z
    .int()
    .min(1)
    .max(24 * 60)
    .default(5)
    .describe("Told when a camera in a building is not recorded for longer than this."),
  disk_left: hoursOrMore
    .default(24 * HOUR_MS)
    .describe("Told when the spool would be full within this time, were the vault away."),
  upload_after: hoursOrMore
    .default(6 * HOUR_MS)
    .describe("Told when footage has waited for the vault for longer than this."),
});

/** As without any of its keys. */
export const ALARMS = alarmsSchema.parse({});

const LISTEN = 'write an address of this machine alone, like "127.0.0.1:9464", or "socket"';

/** Where metrics are to be had. */
export type Listen = "socket" | { readonly host: string; readonly port: number };

export const metricsSchema = z.strictObject({
  listen: z
    .string(LISTEN)
    .refine((text) => parseListen(text) !== undefined, LISTEN)
    .describe("Where Prometheus reads: an address of this machine alone; or the socket."),
});

/** Reads `127.0.0.1:9464`, `[::1]:9464` or `socket`; undefined for anything else, and for what others reach. */
export function parseListen(text: string): Listen | undefined {
  if (text === "socket") return "socket";
  const [, bare, bracketed, digits] = /^(?:([0-9.]+)|\[([0-9a-f:]+)\]):(\d{1,5})$/.exec(text) ?? [];
  const host = bare ?? bracketed ?? "";
  const port = Number(digits);
  const isLoopback = host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  return isLoopback && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
