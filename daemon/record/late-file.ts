import type { GrowingFile } from "../../storage/seal/growing-file.ts";
import { asError } from "../../storage/seal/outlet.ts";

/** A file that takes bytes before it is there: they wait in memory. */
export interface LateFile
  extends Pick<GrowingFile, "push" | "waitingBytes" | "writtenBytes" | "syncedBytes" | "fault"> {
  /** Resolves when it is there. @throws why it is not, and never will be. */
  opened(): Promise<GrowingFile>;
}

/** The file that `opening` brings. */
export function openLate(opening: Promise<GrowingFile>): LateFile {
  let early: Buffer[] = [];
  let earlyBytes = 0;
  let file: GrowingFile | undefined;
  let unopened: Error | undefined;
  const settled = settle();

  async function settle(): Promise<void> {
    try {
      const begun = await opening;
      for (const bytes of early) begun.push(bytes);
      file = begun;
    } catch (error) {
      unopened = asError(error);
    }
    early = [];
    earlyBytes = 0;
  }

  return {
    push(bytes) {
      if (unopened) return;
      if (file) return file.push(bytes);
      early.push(Buffer.from(bytes));
      earlyBytes += bytes.length;
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
    async opened() {
      await settled;
      if (unopened) throw unopened;
      if (!file) throw new TypeError("a segment is opened, or it is known why not");
      return file;
    },
  };
}
