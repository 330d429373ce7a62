import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import { BewaardError } from "#base/errors";
import { type DeviceId, type NodeId, parseDeviceId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, instant, isoOf, plus } from "#base/time";
import type { Asked } from "../../storage/catalog/judge-wipe.ts";
import {
  type Answered,
  type Bounds,
  countForWipe,
  rememberWipe,
} from "../../storage/catalog/order-wipe.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import type { Params, Result } from "../control/protocol.ts";
import type { Events } from "../events.ts";
import { ORDER_FILES, ORDER_LIFE_MS, signOrder } from "../orders/order.ts";
import * as part from "../orders/parts.ts";
import { type Outstanding, orderPath } from "./outstanding.ts";

/** What the site decided of one camera's cards. */
export interface WipeRule {
  /** The second place that must have the bytes first; never: the camera records over its oldest itself. */
  readonly after: "vault" | "second-medium" | "never";
  readonly how: "unlink" | "overwrite";
}

/** What holds of a camera; undefined for one that is not in service here. */
export type RuleOf = (device: DeviceId) => Promise<WipeRule | undefined>;

/** Who signs, and where orders are written for the helper. */
export interface OrderDesk {
  readonly node: NodeId;
  readonly key: NodeKey;
  /** `<state>/orders`. */
  readonly folder: string;
}

/** Why nothing may be ordered now; undefined when it may. */
export type MayNotWipe = () => Promise<"clock" | "history" | undefined>;

type Question = Params<"docks.wipe">;
type Answer = Result<"docks.wipe">;

/**
 * Makes the function that answers `docks.wipe`: which files of a card may go (invariant 1), with a signed order for
 * the root helper (procedure "Wipe"). That an order was made is remembered before the helper can see it, so that what
 * it reports is understood after a crash.
 */
export function wiper(
  clock: Clock,
  events: Events,
  database: Database,
  desk: OrderDesk,
  ruleOf: RuleOf,
  mayNot: MayNotWipe,
  outstanding: Outstanding,
): (question: Question) => Promise<Answer> {
  return async (question) => {
    const { record } = question;
    const device = deviceOf(record.number);
    const rule = await ruleOf(device);
    if (rule === undefined)
      throw new BewaardError("CONTROL_REFUSED", "names a camera that is not in service here");
    const asked = askedOf(question, device, rule);
    const why = whyNot(clock, record, rule) ?? (await mayNot());
    if (why !== undefined) return answerOf(await countForWipe(database, asked, clock.now()), why);
    const bounds = boundsAt(clock);
    const answered = await rememberWipe(database, asked, bounds);
    outstanding.any ||= answered.nonce !== undefined;
    if (answered.files.length > 0) await write(desk, record, asked, bounds, answered);
    if (answered.files.length > 0)
      events.wipeOrdered(device, bounds.nonce, answered.files.length, asked.how);
    return answerOf(answered, undefined);
  };
}

function deviceOf(number: string | null): DeviceId {
  if (number === null) throw new BewaardError("CONTROL_REFUSED", "the card of no camera is wiped");
  return parseDeviceId(number);
}

function askedOf({ docking, files, others }: Question, device: DeviceId, rule: WipeRule): Asked {
  const nameable = files.filter(({ path }) => part.cardPath.safeParse(path).success);
  return {
    device,
    docking,
    how: rule.how,
    others,
    after: rule.after === "second-medium" ? "second-medium" : "vault",
    beyond: files.length - nameable.length,
    files: nameable.map(({ path, bytes, modifiedAtMs }) => ({
      path: Buffer.from(path, "base64"),
      bytes,
      modifiedAt: instant(modifiedAtMs),
    })),
  };
}

/** What of this card itself is in the way of an order. */
function whyNot(
  clock: Clock,
  record: Question["record"],
  { after }: WipeRule,
): Answer["why"] | undefined {
  if (after === "never") return "never";
  // The helper wipes file systems; a camera that only hands its files over is asked by nobody to remove them.
  if (record.volume.kind === "mtp") return "not-a-disk";
  if (record.bootId !== clock.bootId() || record.mountedAt === null) return "not-docked";
  return record.readOnly ? "write-protected" : undefined;
}

function boundsAt(clock: Clock): Bounds {
  return {
    nonce: randomBytes(16).toString("hex"),
    issuedAt: clock.now(),
    expiresAt: plus(clock.now(), ORDER_LIFE_MS),
    bootId: clock.bootId(),
    expiresUptimeMs: Math.floor(clock.uptimeMs()) + ORDER_LIFE_MS,
    limit: ORDER_FILES,
  };
}

/** An order that does not get there expires, like one that is not heard of. */
async function write(
  { node, key, folder }: OrderDesk,
  { slot, name, device, volume }: Question["record"],
  { how }: Asked,
  { nonce, bootId, issuedAt, expiresAt }: Bounds,
  { files }: Answered,
): Promise<void> {
  step("wipe.ordered");
  const order = signOrder(key, {
    bewaard: "order/1",
    node,
    verb: "wipe",
    nonce,
    bootId,
    slot,
    name,
    device,
    volume: volume.serial,
    issuedAt: isoOf(issuedAt),
    expiresAt: isoOf(expiresAt),
    how,
    files: files.map(({ path, bytes, sha256 }) => ({
      path: Buffer.from(path).toString("base64"),
      bytes,
      sha256,
    })),
  });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeDurably(orderPath(folder, nonce), order, 0o600);
  } catch (error) {
    throw diskError(error, "writing an order");
  }
  step("wipe.written");
}

/** With a reason nothing goes now. What time will not mend is forbidden; the rest waits. */
function answerOf(
  {
    waiting,
    stuck,
    again,
    nonce,
  }: Pick<Answered, "waiting" | "stuck" | "again"> & { nonce?: string | undefined },
  why: Answer["why"] | undefined,
): Answer {
  const forbidden = why === "never" || why === "write-protected" || why === "not-a-disk";
  return {
    nonce: nonce ?? null,
    waiting: forbidden ? 0 : waiting,
    forbidden: forbidden ? waiting + stuck : stuck,
    why: why ?? null,
    again: again.map((path) => Buffer.from(path).toString("base64")),
  };
}
