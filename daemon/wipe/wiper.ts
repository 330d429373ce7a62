import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, instant } from "#base/time";
import type { Asked } from "../../storage/catalog/judge-wipe.ts";
import {
  type Answered,
  type Bounds,
  countForWipe,
  rememberWipe,
} from "../../storage/catalog/order-wipe.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { recordUnsigned } from "../../storage/catalog/wiped.ts";
import type { Params, Result } from "../control/protocol.ts";
import type { Events } from "../events.ts";
import {
  type AskedCard,
  boundsFor,
  deviceOf,
  leaveOrder,
  type OrderDesk,
  UNSIGNED,
  whyNotThis,
} from "../ordering/order-desk.ts";
import type { Outstanding } from "../ordering/outstanding.ts";
import { ORDER_FILES, ORDER_LIFE_MS, ORDER_PATH_BYTES } from "../orders/order.ts";
import * as part from "../orders/parts.ts";

/** What the site decided of one camera's cards. */
export interface WipeRule {
  /** The second place that must have the bytes first; never: the camera records over its oldest itself. */
  readonly after: "vault" | "second-medium" | "never";
  readonly how: "unlink" | "overwrite";
}

/** What holds of a camera; undefined for one that is not in service here. */
export type RuleOf = (device: DeviceId) => Promise<WipeRule | undefined>;

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
  // Of each camera the docking in which it was told: once is enough.
  const toldOf = new Map<DeviceId, string>();
  const tellReturned = ({ device, docking }: Asked, { returned }: Pick<Answered, "returned">) => {
    if (returned === 0 || toldOf.get(device) === docking) return;
    toldOf.set(device, docking);
    events.filesReturned(device, docking, returned);
  };
  return async (question) => {
    const { record } = question;
    const device = deviceOf(record);
    const rule = await ruleOf(device);
    if (rule === undefined)
      throw new BewaardError("CONTROL_REFUSED", "names a camera that is not in service here");
    const asked = askedOf(question, device, rule);
    const never = rule.after === "never" ? rule.after : undefined;
    const why =
      never ??
      whyNotThis(clock, record, rule.how === "unlink" ? "remove" : "write") ??
      (await mayNot());
    if (why !== undefined) {
      const counted = await countForWipe(database, asked, clock.now());
      tellReturned(asked, counted);
      return answerOf(counted, why);
    }
    const most = { limit: ORDER_FILES, pathBytes: ORDER_PATH_BYTES };
    const bounds = { ...boundsFor(clock, ORDER_LIFE_MS), ...most };
    const answered = await rememberWipe(database, asked, bounds);
    tellReturned(asked, answered);
    outstanding.any ||= answered.nonce !== undefined;
    if (answered.files.length > 0) {
      step("wipe.ordered");
      const unsigned = await write(desk, record, asked, bounds, answered);
      if (unsigned === undefined) {
        step("wipe.written");
        events.wipeOrdered(device, bounds.nonce, answered.files.length, asked.how);
      } else {
        await recordUnsigned(database, clock.now(), bounds.nonce, UNSIGNED);
        events.wipeFailed(device, bounds.nonce, "refused", `${UNSIGNED}: ${unsigned}`, 0);
      }
    }
    return answerOf(answered, undefined);
  };
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

function write(
  desk: OrderDesk,
  record: AskedCard,
  { how }: Asked,
  bounds: Bounds,
  { files }: Answered,
): Promise<string | undefined> {
  return leaveOrder(desk, record, bounds, {
    verb: "wipe",
    how,
    files: files.map(({ path, bytes, sha256 }) => ({
      path: Buffer.from(path).toString("base64"),
      bytes,
      sha256,
    })),
  });
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
