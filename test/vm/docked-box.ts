import { appendFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#base/system-clock";
import { isoOf } from "#base/time";
import { recordClip } from "../../daemon/demo/clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { asBewaard, linesOf } from "./box.ts";
import type { Guest } from "./guest.ts";
import { openInstalled } from "./installed.ts";
import type { Plug } from "./sockets.ts";

/** The controller with both USB 2 and 3, whose ports the tests name. */
export const XHCI = "0000:00:01.0";
const IN_VAULT = "find /mnt/bewaard/vault -path '*footage*' -type f -size +1k | wc -l";

/** What tests do with a box in a guest, and with cameras for it. */
export interface DockedBox extends AsyncDisposable {
  readonly guest: Guest;
  readonly folder: string;
  /** Where the image of the card of this camera is, or is to be. */
  cardOf(serial: string): string;
  /** Makes a folder with a new recording, as it is on a card; with more bytes in it than it needs, where it must be long in the reading. */
  recorded(hertz: number, moreBytes?: number): Promise<string>;
  plug(serial: string, port: string, more?: Partial<Plug>): Promise<void>;
  unplug(serial: string, port: string): Promise<void>;
  pair(number: string, port: string, profile: string): Promise<void>;
  /** Waits for a record of the helper's in which all of `wanted` stands; resolves to it. */
  untilRecord(...wanted: readonly string[]): Promise<string>;
  untilNoRecord(): Promise<string>;
  confirmTime(): Promise<void>;
  segmentsInVault(): Promise<number>;
  untilInVault(segments: number): Promise<void>;
  /** How often a part has told of `event` since the guest booted. */
  timesTold(event: string): Promise<number>;
}

/** A box in a guest of its own, just installed. */
export async function openBox(): Promise<DockedBox> {
  await using made = new AsyncDisposableStack();
  const { path: folder } = made.use(await temporaryFolder());
  const box = boxIn(made.use(await openInstalled()), folder);
  const kept = made.move();
  return { ...box, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function boxIn(guest: Guest, folder: string): DockedBox {
  const cardOf = (serial: string): string => join(folder, serial);
  return {
    guest,
    folder,
    cardOf,
    async recorded(hertz, moreBytes) {
      const contents = join(folder, `recorded-${hertz}`);
      const path = await recordClip(contents, systemClock.now(), hertz);
      if (moreBytes !== undefined) await fill(path, moreBytes);
      return contents;
    },
    plug: (serial, port, more = {}) =>
      guest.plug(`${serial}-${port}`, cardOf(serial), { serial, port, ...more }),
    unplug: (serial, port) => guest.unplug(`${serial}-${port}`),
    async pair(number, port, profile) {
      const how = `--slot ${XHCI}/${port} --profile ${profile} --by beheerder`;
      await guest.sh(asBewaard(`bewaarctl bodycams pair ${number} ${how}`));
    },
    untilRecord(...wanted) {
      const having = wanted.map((one) => `[[ $record == *'${one}'* ]]`).join(" && ");
      // By the shell alone: a program each second takes its time from what is waited for.
      return guest.until(
        `for file in /run/bewaard/cards/*.json; do
           [ -e $file ] && record=$(< $file) && ${having} && echo "$record" && exit
         done; exit 1`,
      );
    },
    untilNoRecord: () => guest.until("! ls /run/bewaard/cards/*.json"),
    async confirmTime() {
      const now = isoOf(systemClock.now()).slice(0, 19);
      await guest.sh(asBewaard(`bewaarctl clock confirm ${now}Z`));
    },
    segmentsInVault: async () => Number(await guest.sh(IN_VAULT)),
    async untilInVault(segments) {
      await guest.until(`[ $(${IN_VAULT}) = ${segments} ]`);
    },
    async timesTold(event) {
      return Number(await guest.sh(`${linesOf(event)} | wc -l`));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Adds to a clip a box which means nothing (ISO 14496-12, 8.1.2), and leaves its time as it was. */
async function fill(path: string, bytes: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  const free = Buffer.alloc(bytes);
  free.writeUInt32BE(bytes);
  free.write("free", 4, "latin1");
  await appendFile(path, free);
  await utimes(path, atime, mtime);
}
