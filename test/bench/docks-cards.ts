import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, open, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { MINUTE_MS } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secrets.ts";
import type { Ask } from "../../daemon/control/client.ts";
import {
  firstSector,
  openSimulatedUsb,
  type SimulatedCamera,
  slotOf,
} from "../../daemon/demo/simulated-usb.ts";
import { takeUp } from "../../daemon/helper/card.ts";
import { FLAGS, type Mounts, systemMounts } from "../../daemon/helper/mounts.ts";
import { HELPER_PLACES, type HelperPlaces } from "../../daemon/helper/places.ts";
import { putAway } from "../../daemon/helper/put-away.ts";
import { deviceNumber } from "../../daemon/helper/safe-folder.ts";
import { originOf } from "../../daemon/places.ts";
import { parseNodeKey, verifierText } from "../../storage/ledger/note.ts";

const run = promisify(execFile);
const BLOCK = randomBytes(8 * 1024 * 1024);

/** Docks of a machine that has none: a bus in a folder that is /sys, and cards that are memory file systems. */
export interface MemoryDocks {
  readonly places: HelperPlaces;
  /** Where the card of a camera is while it is in no slot. */
  cardOf(camera: number): string;
  /** Writes files of `sizes` on a card, in place of what is on it; returns their paths. */
  fill(camera: number, sizes: readonly number[]): Promise<readonly string[]>;
  pair(ask: Ask, camera: number): Promise<void>;
  plug(...cameras: number[]): Promise<void>;
  pull(...cameras: number[]): Promise<void>;
}

export function cameraOf(index: number): SimulatedCamera {
  const disk = `sd${String.fromCharCode(97 + index)}`;
  return { disk, serial: `BENCH-${index}`, volume: 0x1000_0000 + index };
}

export function numberOf(index: number): string {
  return `bc-${String(101 + index).padStart(4, "0")}`;
}

/** What the root helper may do to a card of memory: only mounting one is another thing. */
export function memoryMounts(folder: string): Mounts {
  return {
    ...systemMounts(join(folder, "dev")),
    open: (name) => open(join(folder, "dev", name), "r"),
    async mount(name, _kind, at) {
      await run("mount", ["--bind", join(folder, "cards", name), at]);
      await run("mount", ["-o", `remount,bind,ro,${FLAGS.join()}`, at]);
    },
  };
}

export function placesIn(folder: string, { state }: Pick<Config, "state">): HelperPlaces {
  const of = (name: string): string => join(folder, name);
  return { ...HELPER_PLACES, state, dev: of("dev"), used: of("used"), verifier: of("node.vkey") };
}

/** In a mount namespace of our own: takes the places of /sys and /run there. */
export async function openMemoryDocks(
  folder: string,
  config: Config,
  cameras: number,
): Promise<MemoryDocks> {
  const places = placesIn(folder, config);
  for (const path of ["/sys", "/run"]) await run("mount", ["-t", "tmpfs", "none", path]);
  for (const path of [places.cards, places.media, places.reports, places.dev])
    await mkdir(path, { recursive: true });
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  await writeFile(places.verifier, `${verifierText(key)}\n`, { mode: 0o644 });
  const usb = await openSimulatedUsb(places.sys);
  const mounts = memoryMounts(folder);
  const part = (camera: number): string => `${cameraOf(camera).disk}1`;
  const cardOf = (camera: number): string => join(folder, "cards", part(camera));
  for (let camera = 0; camera < cameras; camera += 1) {
    await mkdir(cardOf(camera), { recursive: true });
    await run("mount", ["-t", "tmpfs", "none", cardOf(camera)]);
    await writeFile(join(places.dev, part(camera)), firstSector(cameraOf(camera).volume));
  }
  let named = 0;

  const docks: MemoryDocks = {
    places,
    cardOf,
    async fill(camera, sizes) {
      const media = join(cardOf(camera), "DCIM/100MEDIA");
      await rm(media, { recursive: true, force: true });
      await mkdir(media, { recursive: true });
      const paths: string[] = [];
      for (const bytes of sizes) {
        named += 1;
        const path = join(media, `${stampOf(named)}.MP4`);
        await writeFile(path, blocksOf(bytes));
        paths.push(path);
      }
      return paths;
    },
    async pair(ask, camera) {
      await docks.plug(camera);
      const how = { profile: "generic-dcim-synchronised", by: "beheerder" };
      const number = parseDeviceId(numberOf(camera));
      await ask("bodycams.pair", { number, slot: slotOf(camera + 1), ...how });
      await docks.pull(camera);
    },
    async plug(...which) {
      for (const camera of which) {
        const { dev } = await stat(cardOf(camera), { bigint: true });
        await usb.plug(camera + 1, cameraOf(camera), deviceNumber(dev));
      }
      // At the same moment, as far as can be.
      await Promise.all(which.map((camera) => takeUp(systemClock, mounts, places, part(camera))));
    },
    async pull(...which) {
      for (const camera of which) {
        await usb.unplug(camera + 1);
        await putAway(mounts, places, part(camera));
      }
    },
  };
  return docks;
}

/** A minute apart, in the cameras' own zone; the newest first. */
function stampOf(index: number): string {
  const at = new Date(systemClock.now() - index * MINUTE_MS);
  const local = at.toLocaleString("sv-SE", { timeZone: "Europe/Amsterdam" });
  return local.replaceAll("-", "").replaceAll(":", "").replace(" ", "_");
}

/** No two files are of the same bytes. */
function* blocksOf(bytes: number): Generator<Uint8Array> {
  yield randomBytes(Math.min(16, bytes));
  for (let left = bytes - 16; left > 0; left -= BLOCK.length)
    yield left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
}
