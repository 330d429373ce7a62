import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Box } from "../../daemon/adopt.ts";
import type { Params } from "../../daemon/control/protocol.ts";
import { readPairedList } from "../../daemon/orders/paired-list.ts";
import { bodycamAnswers } from "../../daemon/pairing/answers.ts";
import { openBoard } from "../../daemon/pairing/board.ts";
import type { InSlot } from "../../daemon/pairing/in-slots.ts";
import { openPairedNote } from "../../daemon/pairing/paired-note.ts";
import { watchBodycams } from "../../daemon/pairing/watch.ts";
import { parseVerifier, verifierText } from "../../storage/ledger/note.ts";
import { CAMERA, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

export const SLOT = "0000:00:14.0/2.3";
export const OTHER_SLOT = "0000:00:14.0/2.4";

export const SEEN: InSlot = {
  slot: SLOT,
  kind: "disk",
  vendor: "0b6a",
  product: "1234",
  serial: "TS00A1B2",
  volume: "1A2B-3C4D",
  refused: "unpaired",
  looked: true,
};

export const ASKED: Params<"bodycams.pair"> = {
  number: CAMERA,
  slot: SLOT,
  profile: "generic-dcim",
  by: "beheerder",
};

export const quiet = () => undefined;

/** What core answers while `present` is in the slots, and the list of the root helper. */
export function pairingOf(
  rig: Pick<Rig, "folder" | "clock" | "database" | "key"> & { box: Pick<Box, "node"> },
  present: InSlot[],
  entered: () => Promise<void> = async () => undefined,
) {
  const path = join(rig.folder, "paired.note");
  const note = openPairedNote(rig.clock, rig.database, path, rig.box.node, rig.key);
  const look = async () => present;
  const board = openBoard(rig.clock);
  const answers = bodycamAnswers(rig.clock, rig.database, look, note, board, [], entered);
  return {
    present,
    path,
    note,
    board,
    look,
    answers,
    pair: (more: Partial<Params<"bodycams.pair">> = {}) =>
      answers["bodycams.pair"]({ ...ASKED, ...more }, quiet),
    retire: (number = CAMERA) =>
      answers["bodycams.retire"]({ number, by: "beheerder", reason: "defect" }, quiet),
    devices: async () => (await answers.docks({}, quiet)).devices,
    pairings: async () => (await answers["docks.pairings"]({}, quiet)).cameras,
    async list() {
      const verifier = parseVerifier(verifierText(rig.key));
      return readPairedList(verifier, await readFile(path, "utf8"));
    },
  };
}

export type PairingOfRig = ReturnType<typeof pairingOf>;

/** What core does in so many looks, five minutes apart. */
export async function watchOnce(
  rig: Rig,
  { look, note, board }: PairingOfRig,
  times = 1,
): Promise<void> {
  const { clock, signal } = turns(rig.clock, times);
  await watchBodycams(clock, rig.events, rig.database, look, note, board, signal);
}
