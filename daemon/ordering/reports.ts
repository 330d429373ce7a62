import { access, rm } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
import type { DeviceId } from "#base/ids";
import type { Clock } from "#base/time";
import type { Events } from "../events.ts";
import { type Report, readReport } from "../orders/report.ts";
import { orderPath } from "./outstanding.ts";

/** Where the helper reports, and who it is. */
export interface Reports {
  /** `<state>/orders`. */
  readonly orders: string;
  /** `/run/bewaard/reports`: of this start of the machine. */
  readonly folder: string;
  /** The user it runs as: root. */
  readonly owner: number;
}

/** An order that is open, as far as its report goes. */
export interface OpenOrder {
  readonly nonce: string;
  readonly device: DeviceId;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
}

/** What the helper reports of an order; undefined while it does not, and, told hourly, for what is not believed. */
export async function reportOf(
  events: Events,
  { folder, owner }: Reports,
  { nonce, device }: OpenOrder,
  hourly: (what: string) => boolean,
): Promise<Report | undefined> {
  try {
    return await readReport(folder, nonce, owner);
  } catch (error) {
    if (!(error instanceof BewaardError)) throw diskError(error, "reading a report");
    if (hourly(nonce)) events.reportRefused(device, nonce, error);
    return undefined;
  }
}

/** The helper removes what it carried out; what it never took up must not lie there. */
export async function clearOrder({ orders }: Reports, nonce: string): Promise<void> {
  try {
    await rm(orderPath(orders, nonce), { force: true });
  } catch (error) {
    throw diskError(error, "removing an order");
  }
}

/** Whether an order lies there still. To be asked before its report: the helper writes that and then removes it. */
export async function isWritten({ orders }: Reports, nonce: string): Promise<boolean> {
  try {
    await access(orderPath(orders, nonce));
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw diskError(error, "looking for an order");
  }
}

/**
 * Nothing will come any more: the machine was started since, and reports do not outlive that; or its time is over by
 * uptime, and it never got there (`written`), or what the helper may take once it has begun (`workMs`) is over too.
 */
export function isGivenUp(
  clock: Clock,
  { bootId, expiresUptimeMs }: OpenOrder,
  written: boolean,
  workMs: number,
): boolean {
  if (bootId !== clock.bootId()) return true;
  return clock.uptimeMs() > expiresUptimeMs + (written ? workMs : 0);
}
