import type { CardFile } from "../../drivers/bodycam/card.ts";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import type { SlotState } from "./slot-state.ts";
import type { SlotWhy } from "./slot-why.ts";

// What the dock asks of core for its slots, beside `known` and `room`.

/** Which physical camera a number is. */
export interface Pairing {
  readonly number: string;
  readonly vendor: string;
  readonly product: string;
  readonly serial: string | null;
  /** Serial of its file system. */
  readonly volume: string | null;
  readonly profile: string;
}

/** A slot as people see it. */
export interface SlotNews {
  readonly slot: string;
  readonly number: string | null;
  readonly state: SlotState;
  readonly why: SlotWhy | null;
  readonly files: number;
  readonly filesDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly hoursFree: number | null;
  readonly since: string;
  readonly readySince: string | null;
  /** The same by uptime, to tell which was ready first. */
  readonly readyUptimeMs: number | null;
}

/** A safe card, for core to say what of it may go. */
export interface ToWipe {
  readonly docking: string;
  readonly record: CardRecord;
  readonly files: readonly CardFile[];
  /** How many regular files there are besides: what its profile ignores. */
  readonly others: number;
  /** Told which of them, by base64 of their paths, are to be taken once more: their second read differed. */
  readonly readAgain: (paths: readonly string[]) => void;
}

/** A card whose camera's clock is to be set: all that was on it is adopted, with the offset of before. */
export interface ToSet {
  readonly docking: string;
  readonly record: CardRecord;
  /** The camera's clock less ours, in ms; null where it cannot be measured. */
  readonly offsetMs: number | null;
}

/** Core, as the slots know it. Each call throws BewaardError CONTROL_UNREACHABLE (transient) where none answers. */
export interface DockCore {
  readonly pairings: () => Promise<readonly Pairing[]>;
  readonly news: (slots: readonly SlotNews[]) => Promise<void>;
  /** What the card waits for, or null where nothing more is to be done. */
  readonly wipe: (card: ToWipe) => Promise<SlotWhy | null>;
  /** What there is to say of the camera's clock; `over` where nothing more is to be asked in this docking. */
  readonly setTime: (
    card: ToSet,
  ) => Promise<{ readonly why: SlotWhy | null; readonly over: boolean }>;
}
