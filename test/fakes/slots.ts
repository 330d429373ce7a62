import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DeviceId, parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { instant, isoOf, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import type { Ask } from "../../daemon/control/client.ts";
import { READ } from "../../daemon/control/protocol.ts";
import { simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import type { Slots } from "../../daemon/dock.ts";
import type { DockCore, Pairing, SlotNews, ToSet, ToWipe } from "../../daemon/docks/dock-core.ts";
import { openFair } from "../../daemon/docks/fair.ts";
import type { SlotDevice } from "../../daemon/docks/join-slots.ts";
import { cardOpener, type SlotProfile } from "../../daemon/docks/open-card.ts";
import { runSlots } from "../../daemon/docks/run-slots.ts";
import { isSameCard } from "../../daemon/docks/same-card.ts";
import { saySlot } from "../../daemon/docks/say-slots.ts";
import { openSlotBoard, type SlotBoard } from "../../daemon/docks/slot-board.ts";
import type { SlotState } from "../../daemon/docks/slot-state.ts";
import type { SlotWhy } from "../../daemon/docks/slot-why.ts";
import { mountedCards } from "../../daemon/docks/slots.ts";
import { tellSlots } from "../../daemon/docks/tell-slots.ts";
import { type CardRecord, readCardRecords } from "../../drivers/bodycam/card-record.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import { knownFiles } from "../../storage/catalog/find.ts";
import { cardRecordOf, removeRecord, writeRecord } from "./card-records.ts";
import { dockOf, type Rig, START } from "./rig.ts";
import { NONE_PAIRED } from "./well.ts";

/** A machine without a slot, for tests of folders. */
export const NO_SLOTS: Slots = {
  board: openSlotBoard(systemClock, () => undefined),
  mounted: async () => [],
  run: async () => undefined,
};

const PATIENCE_SECONDS = 300;

/** A dock without a USB bus: what sysfs, the root helper and core would say of its slots. */
export interface FakeSlots extends AsyncDisposable {
  readonly media: string;
  readonly board: SlotBoard;
  /** What core was told. */
  readonly told: SlotNews[][];
  /** What core was asked to wipe; and what it answers. */
  readonly wipes: ToWipe[];
  answerWipe(answer: (card: ToWipe) => Promise<SlotWhy | null>): void;
  /** Which clocks core was asked to have set; and what it answers. */
  readonly clocks: ToSet[];
  answerClock(answer: DockCore["setTime"]): void;
  isThere: (folder: string) => boolean;
  /** Resolves when the profile of that name can be read. */
  profileComes: (name: string) => Promise<void>;
  /** Resolves when core says who is paired. */
  pairingsCome: () => Promise<void>;
  /** Puts the camera `number` in `slot`, its card at media/`name`. */
  plug(slot: string, name: string, number: string, more?: Partial<CardRecord>): Promise<void>;
  /** As the root helper: writes of a card in what is plugged in there already. */
  mount(slot: string, name: string, number: string, more?: Partial<CardRecord>): Promise<void>;
  /** As the kernel: the device is gone at once, its record when the root helper comes to it. */
  pull(slot: string): void;
  /** The cards that a dock which starts now finds mounted. */
  readonly mounted: Slots["mounted"];
  forget(name: string): Promise<void>;
  pair(number: string, more?: Partial<Pairing>): Promise<void>;
  unpair(number: string): void;
  state(slot: string): SlotState;
  /** Lets the dock run until `seen` answers true; core adopts meanwhile. Says whether it did. */
  until(seen: () => boolean | Promise<boolean>, seconds?: number): Promise<boolean>;
}

export async function openFakeSlots(
  rig: Rig,
  ask: Ask = answeringSlots(rig),
  own: Partial<SlotProfile> = {},
): Promise<FakeSlots> {
  const media = join(rig.folder, "media");
  const cards = join(rig.folder, "cards");
  await mkdir(media, { recursive: true });
  const devices = new Map<string, SlotDevice>();
  const pairings = new Map<string, Pairing>();
  const told: SlotNews[][] = [];
  const wipes: ToWipe[] = [];
  let wiping: (card: ToWipe) => Promise<SlotWhy | null> = async () => "waits-for-vault";
  const clocks: ToSet[] = [];
  let setting: DockCore["setTime"] = async () => ({ why: null, over: true });
  let address = 0;
  let stamps = 0;
  const clock = simulatedClock(rig.clock.now());
  const stop = new AbortController();
  const board = openSlotBoard(clock, saySlot(rig.events));
  const core: DockCore = {
    pairings: async () => (await fake.pairingsCome(), [...pairings.values()]),
    news: async (slots) => void told.push([...slots]),
    wipe: async (card) => (wipes.push(card), wiping(card)),
    setTime: async (card) => (clocks.push(card), setting(card)),
  };
  const recordOf = (slot: string, name: string, number: string, more: Partial<CardRecord>) => {
    const serial = `SN-${number}`;
    const volume = { kind: "vfat", serial: `VS-${number}`, label: null } as const;
    stamps += 1;
    return cardRecordOf(
      { name, media, slot },
      { serial, volume, number, at: stamp(stamps), ...more },
    );
  };
  const refused = (record: string, why: string): void => rig.events.recordRefused(record, why);
  const owner = process.getuid?.() ?? 0;
  const ground = {
    devices: async () => [...devices.values()],
    records: () => readCardRecords(cards, { owner, media, refused }),
    hints: async function* () {},
  };
  const fake: FakeSlots = {
    media,
    board,
    told,
    wipes,
    answerWipe: (answer) => void (wiping = answer),
    clocks,
    answerClock: (answer) => void (setting = answer),
    isThere: () => true,
    profileComes: async () => undefined,
    pairingsCome: async () => undefined,
    async plug(slot, name, number, more = {}) {
      address += 1;
      const record = recordOf(slot, name, number, more);
      const { vendor, product } = record;
      const device = { slot, bus: 1, address, vendor, product, kind: "disk" } as const;
      devices.set(slot, { ...device, serial: record.serial ?? undefined });
      await writeRecord(cards, record);
    },
    mount: (slot, name, number, more = {}) =>
      writeRecord(cards, recordOf(slot, name, number, more)),
    mounted: () => mountedCards(ground),
    pull: (slot) => void devices.delete(slot),
    forget: (name) => removeRecord(cards, name),
    async pair(number, more = {}) {
      const { vendor, product } = cardRecordOf({ name: "x", media });
      const looks = { vendor, product, serial: `SN-${number}`, volume: `VS-${number}` };
      pairings.set(number, { number, ...looks, profile: "generic-dcim", ...more });
      await recordPaired(rig.database, START, [
        { id: parseDeviceId(number), kind: "bodycam", pairedAt: START },
      ]);
    },
    unpair: (number) => void pairings.delete(number),
    state: (slot) => board.read(slot).state,
    async until(seen, seconds = PATIENCE_SECONDS) {
      // Work beside the loops takes real time: a busy machine is given more of both.
      const most = seconds >= PATIENCE_SECONDS ? 10 * seconds : seconds;
      for (let second = 0; second < most; second += 1) {
        await clock.pass(SECOND_MS, stop.signal);
        await systemClock.sleep(second < seconds ? 1 : 10, stop.signal);
        await rig.adoptOnce();
        if (await seen()) return true;
      }
      return false;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
  const ofRig = dockOf(parseDeviceId("bc-0101"), "").profile;
  const none = { clock_file: null, identity: null, set_time: null };
  const profile = { ...ofRig, ...none, bytes_per_hour: 1e9, ...own };
  const open = cardOpener(
    clock,
    rig.events,
    ask,
    core,
    rig.sealing,
    openFair(2),
    board,
    async (record) =>
      devices.has(record.slot) &&
      fake.isThere(record.mountedAt ?? "") &&
      (await isSameCard(ground.records, record)),
    async (name) => (await fake.profileComes(name), profile),
  );
  const running = together(stop.signal, [
    (s) => runSlots(clock, rig.events, core, ground, open, board, s),
    (s) => tellSlots(clock, core, board, s),
  ]);
  // What it failed of is thrown when it is disposed of.
  running.catch(() => stop.abort());
  await clock.asleep(2, stop.signal);
  return fake;
}

function stamp(count: number): string {
  return isoOf(instant(START + count * SECOND_MS));
}

/** Answers what core would of rooms and known files. */
export function answeringSlots(rig: Rig): Ask {
  return async (method, params) => {
    if (method === "room") return READ[method]({ granted: true });
    if (method !== "known" || !("files" in params) || !("device" in params))
      return READ[method](NONE_PAIRED);
    const files = params.files.map(({ path, bytes, modifiedAtMs }) => ({
      path: Buffer.from(path, "base64"),
      bytes,
      modifiedAt: instant(modifiedAtMs),
    }));
    const device: DeviceId = parseDeviceId(params.device);
    return READ[method]({ known: await knownFiles(rig.database, device, files) });
  };
}

/** Writes a file of a card; `modifiedAt` as cameras keep it. */
export async function writeFileOf(folder: string, name: string, content: Uint8Array | string) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
