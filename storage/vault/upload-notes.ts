/** An upload that was begun: its id in the vault, and the ETag of each part that arrived, by number from 1. */
interface UploadNote {
  readonly uploadId: string;
  readonly parts: ReadonlyMap<number, string>;
}

/** What must outlive a restart for an upload to be continued. One upload a key: `begin` forgets the one before. */
export interface UploadNotes {
  resume(key: string): Promise<UploadNote | undefined>;
  begin(key: string, uploadId: string): Promise<void>;
  /** Of the upload that was begun last; without one it is forgotten. */
  part(key: string, number: number, etag: string): Promise<void>;
  /** Harmless where nothing was begun. */
  end(key: string): Promise<void>;
}

/** Notes for who writes nothing large: a desk, a check. Gone with the process. */
export function memoryNotes(): UploadNotes {
  const notes = new Map<string, { uploadId: string; parts: Map<number, string> }>();
  return {
    async resume(key) {
      const note = notes.get(key);
      return note && { uploadId: note.uploadId, parts: new Map(note.parts) };
    },
    async begin(key, uploadId) {
      notes.set(key, { uploadId, parts: new Map() });
    },
    async part(key, number, etag) {
      notes.get(key)?.parts.set(number, etag);
    },
    async end(key) {
      notes.delete(key);
    },
  };
}
