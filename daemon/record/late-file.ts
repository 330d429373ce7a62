import { isFull } from "#base/disk-errors";
import type { Clock } from "#base/time";
import type { GrowingFile } from "../../storage/seal/growing-file.ts";
import { asError, FULL_AGAIN_MS } from "../../storage/seal/outlet.ts";

/** A file that takes bytes before it is there: they wait in memory. */
export interface LateFile
  extends Pick<
    GrowingFile,
    "push" | "waitingBytes" | "writtenBytes" | "syncedBytes" | "fault" | "waitsForRoom"
  > {
  /** Resolves when it is there. @throws why it is not; after a full disk it is tried again when this is asked again. */
  opened(): Promise<GrowingFile>;
}

/** The file that `open` brings. It is asked again, as more is pushed, while the disk is full; otherwise once. */
export function openLate(clock: Clock, open: () => Promise<GrowingFile>): LateFile {
  let early: Buffer[] = [];
  let earlyBytes = 0;
  let file: GrowingFile | undefined;
  let unopened: Error | undefined;
  let unopenedAtMs = 0;
  let opening: Promise<void> | undefined = settle();

  async function settle(): Promise<void> {
    try {
      const begun = await open();
      for (const bytes of early) begun.push(bytes);
      file = begun;
      unopened = undefined;
    } catch (error) {
      unopened = asError(error);
      unopenedAtMs = clock.uptimeMs();
    }
    opening = undefined;
    if (isFull(unopened)) return;
    early = [];
    earlyBytes = 0;
  }

  return {
    push(bytes) {
      if (file) return file.push(bytes);
      if (unopened && !isFull(unopened)) return;
      early.push(Buffer.from(bytes));
      earlyBytes += bytes.length;
      if (unopened && clock.uptimeMs() - unopenedAtMs >= FULL_AGAIN_MS) opening ??= settle();
    },
    get waitingBytes() {
      return earlyBytes + (file?.waitingBytes ?? 0);
    },
    get writtenBytes() {
      return file?.writtenBytes ?? 0;
    },
    get syncedBytes() {
      return file?.syncedBytes ?? 0;
    },
    get fault() {
      return unopened ?? file?.fault;
    },
    get waitsForRoom() {
      return file ? file.waitsForRoom : isFull(unopened);
    },
    async opened() {
      await opening;
      if (isFull(unopened)) await (opening ??= settle());
      if (unopened) throw unopened;
      if (!file) throw new TypeError("a segment is opened, or it is known why not");
      return file;
    },
  };
}
