import type { DeviceId } from "#base/ids";

/** What the board calls the folder that stands for a camera. No port of a controller is called so. */
export function folderSlot(number: DeviceId): string {
  return `${FOLDER}${number}`;
}

/** Whether a slot is such a folder: what lies there goes when somebody removes it, and not with a camera. */
export function isFolderSlot(slot: string): boolean {
  return slot.startsWith(FOLDER);
}

const FOLDER = "folder/";
