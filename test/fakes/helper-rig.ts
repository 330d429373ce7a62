import { mkdir, open, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Clock, instantOf } from "#base/time";
import { takeUp } from "../../daemon/helper/card.ts";
import { carryOut } from "../../daemon/helper/carry-out.ts";
import { type Mounts, readRemembered } from "../../daemon/helper/mounts.ts";
import { turns } from "../../daemon/helper/orders.ts";
import type { HelperPlaces } from "../../daemon/helper/places.ts";
import { deviceNumber } from "../../daemon/helper/safe-folder.ts";
import { type Order, signOrder, type WipeOrder } from "../../daemon/orders/order.ts";
import { type PairedCamera, signPairedList } from "../../daemon/orders/paired-list.ts";
import type { Report } from "../../daemon/orders/report.ts";
import {
  type NodeKey,
  newNodeKeyPem,
  parseNodeKey,
  verifierText,
} from "../../storage/ledger/note.ts";
import { fat32Sector } from "./boot-sectors.ts";
import { temporaryFolder } from "./folder.ts";
import { wipeOrder } from "./orders.ts";
import { type UsbTree, usbTree } from "./usb-tree.ts";

const CONTROLLER = "0000:00:14.0";
const SERIAL = "AXON-1";

/** What a machine that cannot mount is given: the card is a folder, put in its place and away again. */
export interface FakeMounts extends Mounts {
  /** `rw`, `ro`, `read`, `settle`, in the order in which they were asked. */
  readonly asked: string[];
  /** Called before each thing that is asked; may throw. */
  before: (what: string) => Promise<void> | void;
}

export function fakeMounts(places: HelperPlaces, cards: string): FakeMounts {
  const asked: string[] = [];
  const ask = async (what: string): Promise<void> => {
    await mounts.before(what);
    asked.push(what);
  };
  const mounts: FakeMounts = {
    asked,
    before: () => undefined,
    async open(name) {
      await ask("open");
      return open(join(places.dev, name), "r");
    },
    async mount(name, kind, at) {
      await ask(`mount ${kind}`);
      await rename(join(cards, name), at).catch((cause: unknown) => {
        throw new BewaardError("CARD_MOUNT", systemCode(cause) ?? "", { cause });
      });
    },
    async remount(_at, how) {
      await ask(how);
      await writeFile(join(cards, "mode"), how);
    },
    async unmount(at) {
      await ask("unmount");
      const name = at.slice(dirname(at).length + 1);
      await rename(at, join(cards, name)).catch((error: unknown) => {
        if (systemCode(error) !== "ENOENT") throw error;
      });
    },
    async programAt(at) {
      const found = await stat(at, { bigint: true }).catch(() => undefined);
      return found && deviceNumber(found.dev);
    },
    async *read(file) {
      await ask("read");
      yield* readRemembered(file);
    },
    async *fetchAgain(file) {
      await ask("fetch again");
      yield* readRemembered(file);
    },
    settle: () => ask("settle"),
  };
  return mounts;
}

export function placesIn(root: string): HelperPlaces {
  const of = (name: string): string => join(root, name);
  return {
    sys: of("sys"),
    dev: of("dev"),
    state: of("state"),
    cards: of("run/cards"),
    media: of("run/media"),
    reports: of("run/reports"),
    used: of("used"),
    verifier: of("node.vkey"),
  };
}

/** A machine with a paired camera in a slot, a helper and what core would write. */
export interface HelperRig extends AsyncDisposable {
  readonly root: string;
  readonly places: HelperPlaces;
  readonly mounts: FakeMounts;
  readonly tree: UsbTree;
  readonly key: NodeKey;
  readonly clock: Clock & { at: string; boot: string };
  /** `0:45`: the file system that stands in for a card's. */
  readonly device: string;
  /** Where `sdb1` is mounted. */
  readonly card: string;
  /** Puts a camera into a port: `sdb` with `sdb1` on it. */
  plug(port: string, disk: string, serial?: string | null): Promise<void>;
  pair(...cameras: readonly Partial<PairedCamera>[]): Promise<void>;
  takeUp(name: string): ReturnType<typeof takeUp>;
  /** Says in sysfs and in the record that `sdb1` has this device number. */
  replug(device: string): Promise<void>;
  put(path: string | Uint8Array, content: string | Uint8Array): Promise<void>;
  /** An order of these files for the card in its slot, as core would make it. */
  order(files: WipeOrder["files"], change?: Partial<WipeOrder>): WipeOrder;
  /** Leaves an order, as core does. */
  leave(order: Order, note?: string): Promise<void>;
  carryOut(nonce: string): Promise<Report | undefined>;
}

export async function openHelperRig(): Promise<HelperRig> {
  const folder = await temporaryFolder();
  const root = folder.path;
  const places = placesIn(root);
  const content = join(root, "content");
  for (const path of [places.dev, content, places.used, places.reports, places.media])
    await mkdir(path, { recursive: true });
  await mkdir(join(places.state, "orders"), { recursive: true });
  const key = parseNodeKey("bewaard/den-haag/dock-1", newNodeKeyPem());
  await writeFile(places.verifier, `${verifierText(key)}\n`);
  const tree = await usbTree(places.sys);
  await tree.bus(1, CONTROLLER);
  await tree.plug({ at: "1-2", hub: true, address: 2 });
  const device = deviceNumber((await stat(root, { bigint: true })).dev);
  const mounts = fakeMounts(places, content);
  const clock = clockAt("2026-11-29T12:01:00.000Z", "11111111-2222-3333-4444-555555555555");
  const inTurn = turns();
  const rig: HelperRig = {
    root,
    places,
    mounts,
    tree,
    key,
    clock,
    device,
    card: join(places.media, "sdb1"),
    async plug(port, disk, serial = SERIAL) {
      await tree.plug({
        at: `1-2.${port}`,
        address: 10 + Number(port),
        ...(serial === null ? {} : { serial }),
      });
      // Only the first can be opened as the card that it is.
      const number = disk === "sdb" ? device : `8:${port}1`;
      const partitions = [{ number: 1, device: number, sectors: 2048 }];
      await tree.disk({
        at: `1-2.${port}`,
        name: disk,
        device: `8:${port}`,
        sectors: 4096,
        partitions,
      });
      await writeFile(join(places.dev, `${disk}1`), fat32Sector(0x1a2b3c4d));
      await mkdir(join(content, `${disk}1`), { recursive: true });
    },
    async pair(...cameras) {
      const known = { number: "bc-0101", vendor: "0b6a", product: "1234", serial: SERIAL };
      const list = cameras.map((one) => ({ ...known, volume: "1A2B-3C4D", ...one }));
      const at = "2026-11-29T12:00:00.000Z";
      const note = signPairedList(key, { bewaard: "paired/1", node: "dock-1", at, cameras: list });
      await writeFile(join(places.state, "paired.note"), note, { mode: 0o600 });
    },
    async replug(number) {
      const of = await realpath(join(places.sys, "class/block/sdb1"));
      await writeFile(join(of, "dev"), `${number}\n`);
      const record = join(places.cards, "sdb1.json");
      const text = await readFile(record, "utf8");
      await writeFile(record, text.replace(`"device":"${device}"`, `"device":"${number}"`));
    },
    takeUp: (name) => takeUp(clock, mounts, places, name),
    async put(path, bytes) {
      const at = Buffer.concat([Buffer.from(`${rig.card}/`), Buffer.from(path)]);
      await mkdir(dirname(at.toString("latin1")), { recursive: true });
      await writeFile(at, bytes);
    },
    order: (files, change = {}) => wipeOrder({ files, device, ...change }),
    leave: (order, note = signOrder(key, order)) =>
      writeFile(join(places.state, "orders", `${order.nonce}.order`), note, { mode: 0o600 }),
    carryOut: (nonce) => carryOut(clock, mounts, places, inTurn, nonce),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
  return rig;
}

/** With the paired camera in its slot, its card mounted. */
export async function dockedRig(): Promise<HelperRig> {
  const rig = await openHelperRig();
  await rig.plug("3", "sdb");
  await rig.pair({});
  const record = await rig.takeUp("sdb1");
  if (record?.mountedAt !== rig.card) throw new Error(`not mounted: ${record?.refused}`);
  rig.mounts.asked.length = 0;
  return rig;
}

export function clockAt(at: string, boot: string): HelperRig["clock"] {
  const clock = {
    ...systemClock,
    at,
    boot,
    now: () => instantOf(clock.at),
    bootId: () => clock.boot,
  };
  return clock;
}
