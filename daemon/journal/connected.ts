import { existsSync, fstatSync } from "node:fs";

export const JOURNAL_SOCKET = "/run/systemd/journal/socket";

/**
 * Whether what this process says on standard error goes to the journal, so that its own protocol may be spoken
 * instead. systemd says which device and inode that was (`JOURNAL_STREAM`, systemd.exec(5)); a standard error that
 * somebody has sent elsewhere is another one.
 */
export function isToJournal(
  stream: string | undefined,
  descriptor = 2,
  socket = JOURNAL_SOCKET,
): boolean {
  const [device, inode] = /^(\d+):(\d+)$/.exec(stream ?? "")?.slice(1) ?? [];
  if (device === undefined || inode === undefined || !existsSync(socket)) return false;
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return dev === BigInt(device) && ino === BigInt(inode);
}
