import { mkdir, open, readdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import type { Clock } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secrets.ts";
import { readCardRecords } from "../../drivers/bodycam/card-record.ts";
import { isThere } from "../../drivers/bodycam/is-there.ts";
import { readUsbDevices } from "../../drivers/bodycam/usb-devices.ts";
import { parseNodeKey, verifierText } from "../../storage/ledger/note.ts";
import type { Machine } from "../docks/ground.ts";
import { isSameCard } from "../docks/same-card.ts";
import { takeUp } from "../helper/card.ts";
import { type Mounts, readRemembered } from "../helper/mounts.ts";
import { carryOutOrders } from "../helper/orders.ts";
import type { HelperPlaces } from "../helper/places.ts";
import { putAway } from "../helper/put-away.ts";
import { deviceNumber } from "../helper/safe-folder.ts";
import type { CoreMachine } from "../open-bodycams.ts";
import { lookInSlotsOf } from "../pairing/look.ts";
import { originOf } from "../places.ts";
import { firstSector, openSimulatedUsb, type SimulatedCamera, slotOf } from "./simulated-usb.ts";

/** A dock of which only the USB bus and the mounting are simulated: the root helper is the real one. */
export interface SimulatedDock {
  readonly dock: Machine;
  readonly core: CoreMachine;
  /** Where the files of a camera lie while it is in no slot. */
  cardOf(camera: SimulatedCamera): string;
  /** Puts a camera into a port; the root helper looks at it, as udev would have it do. */
  plug(port: number, camera: SimulatedCamera): Promise<void>;
  pull(port: number, camera: SimulatedCamera): Promise<void>;
  /** How many files there are on all cards, wherever they are. */
  filesLeft(): Promise<number>;
  /** Lets the root helper carry out what core has ordered, as its path unit would. */
  obey(): Promise<void>;
}

export async function openSimulatedDock(
  clock: Clock,
  folder: string,
  config: Config,
): Promise<SimulatedDock> {
  const of = (name: string): string => join(folder, name);
  const places: HelperPlaces = {
    sys: of("sys"),
    dev: of("dev"),
    state: config.state,
    cards: of("run/cards"),
    media: of("run/media"),
    reports: of("run/reports"),
    used: of("used"),
    verifier: of("node.vkey"),
  };
  const away = of("away");
  for (const path of [places.dev, places.cards, places.media, away])
    await mkdir(path, { recursive: true });
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  await writeFile(places.verifier, `${verifierText(key)}\n`, { mode: 0o644 });
  const usb = await openSimulatedUsb(places.sys);
  const mounts = movedFolders(places, away);
  // Its waiting is of this machine: nothing that it does takes simulated time.
  const helperClock: Clock = {
    now: () => clock.now(),
    bootId: () => clock.bootId(),
    uptimeMs: () => systemClock.uptimeMs(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
  const device = deviceNumber((await stat(folder, { bigint: true })).dev);
  const owner = process.getuid?.() ?? 0;
  const rules = { owner, media: places.media, refused: () => undefined };
  const records = () => readCardRecords(places.cards, rules);
  const devices = async () => {
    const found = await readUsbDevices(places.sys);
    return found === "no-usb" ? [] : found;
  };
  const inSlot = new Set<string>();
  return {
    dock: {
      devices,
      records,
      hints: async function* () {},
      isThere: async (record) =>
        inSlot.has(record.slot) &&
        (await isThere(record, places.sys)) &&
        (await isSameCard(records, record)),
    },
    core: { look: lookInSlotsOf(clock, { devices, records }), reports: places.reports, owner },
    cardOf: ({ disk }) => join(away, `${disk}1`),
    async plug(port, camera) {
      await writeFile(join(places.dev, `${camera.disk}1`), firstSector(camera.volume));
      await usb.plug(port, camera, device);
      inSlot.add(slotOf(port));
      await takeUp(helperClock, mounts, places, `${camera.disk}1`);
    },
    async pull(port, { disk }) {
      inSlot.delete(slotOf(port));
      await usb.unplug(port);
      await putAway(mounts, places, `${disk}1`);
    },
    async filesLeft() {
      const options = { recursive: true, withFileTypes: true } as const;
      const all = [...(await readdir(away, options)), ...(await readdir(places.media, options))];
      return all.filter((one) => one.isFile()).length;
    },
    obey: () => carryOutOrders(helperClock, mounts, places, () => undefined),
  };
}

/** A card is a folder that is moved to where it is mounted, and away again. */
function movedFolders({ dev }: HelperPlaces, away: string): Mounts {
  return {
    open: (name) => open(join(dev, name), "r"),
    async mount(name, _kind, at) {
      await rename(join(away, name), at).catch((cause: unknown) => {
        throw new BewaardError("CARD_MOUNT", "no such card", { cause, transient: true });
      });
    },
    async unmount(at) {
      await rename(at, join(away, at.slice(dirname(at).length + 1))).catch((error: unknown) => {
        if (systemCode(error) !== "ENOENT") throw error;
      });
    },
    programAt: async () => undefined,
    remount: async () => undefined,
    read: readRemembered,
    fetchAgain: readRemembered,
    settle: async () => undefined,
  };
}
