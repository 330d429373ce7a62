import type { DeviceId } from "#base/ids";
import type { Instant } from "#base/time";
import { append } from "../ledger/append.ts";
import { number, optional, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** Where a camera is used, in the words of the configuration. */
export interface Placed {
  readonly device: DeviceId;
  readonly place: string | undefined;
}

/**
 * Records where each camera is used from now on, with a ledger entry for each that moved. Footage keeps
 * the place its camera had when it was adopted. A camera that the catalog does not know is passed over.
 */
export function recordPlaces(
  database: Database,
  at: Instant,
  cameras: readonly Placed[],
): Promise<void> {
  return database.transaction(async (sql) => {
    for (const { device, place } of cameras) {
      const [row] = await sql.all(
        `select place.name from device left join place on place.id = device.place_id
         where device.id = $device`,
        { $device: device },
      );
      if (row === undefined || optional(row, "name", text) === place) continue;
      await append(sql, at, [{ kind: "device.placed", facts: { device, place: place ?? null } }]);
      await sql.run(
        `insert into place (name) select $place where $place is not null
        on conflict do nothing`,
        { $place: place ?? null },
      );
      await sql.run(
        `update device set place_id = (select id from place where name = $place) where id = $device`,
        { $place: place ?? null, $device: device },
      );
    }
  });
}

/** The places whose name has `wanted` in it, whatever its capitals and accents. */
export async function placesLike(
  sql: Sql,
  wanted: string,
): Promise<readonly { readonly id: number; readonly name: string }[]> {
  const folded = fold(wanted);
  // A site has some hundreds at most, and SQLite folds ASCII only.
  const rows = await sql.all("select id, name from place order by name");
  return rows
    .map((row) => ({ id: number(row, "id"), name: text(row, "name") }))
    .filter(({ name }) => fold(name).includes(folded));
}

/** `Café Ĳzer` and `cafe ijzer` are the same word to whoever searches. */
function fold(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
}
