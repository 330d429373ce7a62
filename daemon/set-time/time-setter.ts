import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, HOUR_MS, instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import {
  recordClockSet,
  rememberTimeOrder,
  type TimeFate,
  type TimeOrdered,
} from "../../storage/catalog/time-orders.ts";
import type { Params, Result } from "../control/protocol.ts";
import type { Events } from "../events.ts";
import {
  boundsFor,
  deviceOf,
  leaveOrder,
  type OrderDesk,
  UNSIGNED,
  whyNotThis,
} from "../ordering/order-desk.ts";
import type { Outstanding } from "../ordering/outstanding.ts";
import { orderTemplate } from "../orders/time-file.ts";

/** The file by which a model sets its clock, as its profile has it. */
export interface TimeFile {
  readonly path: string;
  readonly template: string;
  readonly line_end: "lf" | "crlf";
  readonly zone: string;
  /** In ms: written anew so long after it was, while the card stays; null or none: once. */
  readonly again?: number | null;
}

/** What holds of a camera: null where nothing sets its clock, undefined for one that is not in service here. */
export type TimeFileOf = (device: DeviceId) => Promise<TimeFile | null | undefined>;

type Question = Params<"docks.set-time">;
type Answer = Result<"docks.set-time">;

/** The helper writes a few bytes; until then nothing of that card is wiped. */
const LIFE_MS = 2 * MINUTE_MS;
const NEVER_SIGNED: TimeFate = {
  outcome: "refused",
  why: UNSIGNED,
  startedAt: null,
  endedAt: null,
};

/**
 * Makes the function that answers `docks.set-time`: a signed order for the root helper to write the file that sets a
 * camera's clock (procedure "Set a clock"), once for each stay of a card or as often as its profile says, and again after
 * one that failed. That it was made is remembered before the helper can see it.
 */
export function timeSetter(
  clock: Clock,
  events: Events,
  database: Database,
  desk: OrderDesk,
  fileOf: TimeFileOf,
  isTrusted: () => Promise<boolean>,
  outstanding: Outstanding,
): (question: Question) => Promise<Answer> {
  const hourly = atMostEvery(clock, HOUR_MS);
  return async ({ docking, record, offsetMs }) => {
    const device = deviceOf(record);
    const file = await fileOf(device);
    if (file === undefined)
      throw new BewaardError("CONTROL_REFUSED", "names a camera that is not in service here");
    if (file === null) return { state: "none", why: null };
    const why = whyNotThis(clock, record, "write") ?? ((await isTrusted()) ? undefined : "clock");
    if (why !== undefined) {
      if (hourly(`${device} ${why}`)) events.clockNotSetNow(device, why);
      return { state: "later", why };
    }
    const bounds = boundsFor(clock, LIFE_MS);
    const mountedAt = instant(Date.parse(record.at));
    const asked = {
      device,
      docking,
      mountedAt,
      offsetMs,
      zone: file.zone,
      againMs: file.again ?? null,
    };
    const ordered = await rememberTimeOrder(database, asked, bounds);
    outstanding.any ||= ordered.state === "new" || ordered.state === "open";
    if (ordered.state === "new") {
      step("clock.ordered");
      const unsigned = await leaveOrder(desk, record, bounds, {
        verb: "set-time",
        path: Buffer.from(file.path).toString("base64"),
        template: orderTemplate(file),
        zone: file.zone,
      });
      if (unsigned !== undefined) {
        const order = { ...asked, ...bounds };
        await recordClockSet(database, clock.now(), order, NEVER_SIGNED);
        events.clockNotSet(device, bounds.nonce, "refused", `${UNSIGNED}: ${unsigned}`);
        return { state: "failed", why: UNSIGNED };
      }
      step("clock.written");
      events.clockOrdered(device, bounds.nonce, offsetMs);
    }
    return answerOf(ordered);
  };
}

function answerOf(ordered: TimeOrdered): Answer {
  switch (ordered.state) {
    case "new":
    case "open":
      return { state: "open", why: null };
    case "failed":
      return ordered;
    case "done":
      return { state: "done", why: null };
    case "later":
      return { state: "later", why: "other-order" };
    default:
      return ordered satisfies never;
  }
}
