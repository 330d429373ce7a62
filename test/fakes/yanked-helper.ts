import { cpSync, readlinkSync, rmSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import { putAway } from "../../daemon/helper/put-away.ts";
import type { HelperRig } from "./helper-rig.ts";

/** The root helper's card, which can be pulled out before any call that reaches it. */
export interface YankedHelper extends Disposable {
  /** How many calls reached the card since it was plugged in. */
  readonly calls: number;
  /** Pulls it out at the call after so many. `lost`: nothing that was not synced had come to the card. */
  yankAfter(calls: number, lost: boolean): void;
  readonly isGone: boolean;
  /** Takes down what is left of it, and puts it into the same slot again. */
  plugIn(): Promise<void>;
}

const PORT = "1-2.3";
/** Of promises: what the helper calls with a path on the card. */
const BY_PATH = ["open", "lstat", "unlink", "rename", "opendir"] as const;
/** Of a file handle, likewise. */
const BY_HANDLE = ["read", "write", "writeFile", "sync", "stat"] as const;

export function yankedHelper(rig: HelperRig): YankedHelper {
  const undo = new DisposableStack();
  const before = join(rig.root, "before");
  const content = join(rig.root, "content", "sdb1");
  let calls = 0;
  let left = Number.POSITIVE_INFINITY;
  let lost = false;
  let gone = false;
  let settled = false;
  /** It is put away and plugged in: that is the machine's doing, and no reaching of the card. */
  let resting = false;

  async function reach(failure: () => Error): Promise<void> {
    if (resting) return;
    calls += 1;
    if (!gone && calls > left) {
      gone = true;
      await rig.tree.unplug(PORT);
    }
    if (gone) throw failure();
  }

  for (const name of BY_PATH)
    patch(undo, name, (real) => async (...args) => {
      if (isOnCard(rig.card, args[0])) await reach(broken);
      const made = await real(...args);
      if (name === "open" && isOnCard(rig.card, args[0])) watchHandle(made, () => reach(broken));
      return made;
    });
  syncBuiltinESMExports();
  undo.defer(() => syncBuiltinESMExports());
  rig.mounts.before = async (what) => {
    if (what === "unmount" || what.startsWith("mount ")) return;
    await reach(() => new BewaardError("CARD_MOUNT", "pulled out"));
    if (what === "settle") settled = true;
  };

  return {
    get calls() {
      return calls;
    },
    get isGone() {
      return gone;
    },
    yankAfter(after, isLost) {
      cpSync(rig.card, before, { recursive: true, preserveTimestamps: true });
      [calls, left, lost, settled] = [0, after, isLost, false];
    },
    async plugIn() {
      const wasLost = gone && lost && !settled;
      resting = true;
      await putAway(rig.mounts, rig.places, "sdb1");
      if (wasLost) {
        rmSync(content, { recursive: true });
        cpSync(before, content, { recursive: true, preserveTimestamps: true });
      }
      rmSync(before, { recursive: true, force: true });
      await rig.tree.unplug(PORT);
      await rig.plug("3", "sdb");
      await rig.takeUp("sdb1");
      rig.mounts.asked.length = 0;
      [calls, left, gone, resting] = [0, Number.POSITIVE_INFINITY, false, false];
    },
    [Symbol.dispose]: () => undo.dispose(),
  };
}

function broken(): Error {
  return Object.assign(new Error("EIO: the card is gone"), { code: "EIO" });
}

/** The helper comes to what is on a card through folders that it has open. */
function isOnCard(card: string, path: unknown): boolean {
  const text = Buffer.isBuffer(path) ? path.toString("latin1") : String(path);
  const [, fd] = /^\/proc\/self\/fd\/(\d+)/.exec(text) ?? [];
  if (fd === undefined) return text === card;
  try {
    return `${readlinkSync(`/proc/self/fd/${fd}`)}/`.startsWith(`${card}/`);
  } catch {
    return false;
  }
}

function watchHandle(handle: unknown, reach: () => Promise<void>): void {
  if (typeof handle !== "object" || handle === null) return;
  for (const name of BY_HANDLE) {
    const real: unknown = Reflect.get(handle, name);
    if (typeof real !== "function") continue;
    Reflect.set(handle, name, async (...args: unknown[]) => {
      await reach();
      const answer: unknown = await Reflect.apply(real, handle, args);
      return answer;
    });
  }
}

type Call = (...args: unknown[]) => unknown;

function patch(undo: DisposableStack, name: string, other: (real: Call) => Call): void {
  const original: unknown = Reflect.get(promises, name);
  if (typeof original !== "function") throw new TypeError(`no ${name}`);
  undo.defer(() => void Reflect.set(promises, name, original));
  Reflect.set(
    promises,
    name,
    other((...args) => Reflect.apply(original, promises, args)),
  );
}
