import type { Clock } from "#base/time";
import type { UploadNotes } from "../vault/upload-notes.ts";
import { number, text } from "./row.ts";
import type { Database } from "./sqlite.ts";

/**
 * What the bucket has confirmed of uploads in parts, kept in the catalog: a restart sends none of it
 * again. The rows leave when the object is complete or its upload is abandoned.
 */
export function catalogNotes(database: Database, clock: Clock): UploadNotes {
  return {
    resume: (key) =>
      database.transaction(async (sql) => {
        const [begun] = await sql.all("select upload_id from upload where key = $key", {
          $key: key,
        });
        if (begun === undefined) return undefined;
        const rows = await sql.all("select number, etag from upload_part where key = $key", {
          $key: key,
        });
        const parts = new Map(rows.map((row) => [number(row, "number"), text(row, "etag")]));
        return { uploadId: text(begun, "upload_id"), parts };
      }),
    begin: (key, uploadId) =>
      database.transaction(async (sql) => {
        // What was confirmed of another upload of this key is no part of this one.
        await sql.run("delete from upload where key = $key", { $key: key });
        await sql.run(
          "insert into upload (key, upload_id, begun_at_ms) values ($key, $upload, $at)",
          { $key: key, $upload: uploadId, $at: clock.now() },
        );
      }),
    part: (key, partNumber, etag) =>
      database.transaction(async (sql) => {
        await sql.run(
          `insert into upload_part (key, number, etag)
           select key, $number, $etag from upload where key = $key
           on conflict (key, number) do update set etag = $etag`,
          { $key: key, $number: partNumber, $etag: etag },
        );
      }),
    end: (key) =>
      database.transaction(async (sql) => {
        await sql.run("delete from upload where key = $key", { $key: key });
      }),
  };
}
