import { z } from "zod";
import { atMostEvery } from "#base/at-most-every";
import { type Clock, HOUR_MS } from "#base/time";
import type { S3Place } from "../config/bucket-schema.ts";
import { TABLE_VERSION } from "../config/eea-table.ts";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { canonical } from "../storage/ledger/canonical.ts";
import type { Whereabouts } from "../storage/vault/residency.ts";
import type { Events } from "./events.ts";

/** What each bucket last answered, by its name. */
const remembered = z.record(z.string(), z.string());

/**
 * Makes the function that records what a bucket says of where it is: in the ledger when it is not what the
 * bucket said last, also before a restart; in the journal then, and hourly while nothing may go there.
 */
export function residencyRecorder(
  clock: Clock,
  events: Events,
  database: Database,
  { provider, region, bucket }: Pick<S3Place, "provider" | "region" | "bucket">,
): (whereabouts: Whereabouts) => Promise<void> {
  const hourly = atMostEvery(clock, HOUR_MS);
  return async ({ header, location, replication, refused }) => {
    const facts = {
      provider,
      region,
      bucket,
      table: TABLE_VERSION,
      header,
      location,
      replication,
      inside: refused === undefined,
      why: refused ?? null,
    };
    const said = canonical(facts);
    const isNew = await database.transaction(async (sql) => {
      const known = remembered.parse(JSON.parse((await readFact(sql, "residency")) ?? "{}"));
      if (known[bucket] === said) return false;
      await writeFact(sql, "residency", canonical({ ...known, [bucket]: said }));
      await append(sql, clock.now(), [{ kind: "vault.residency", facts }]);
      return true;
    });
    if (refused !== undefined && (hourly(refused) || isNew))
      events.vaultOutside(bucket, region, refused);
    if (refused === undefined && isNew) events.vaultInside(bucket, region);
  };
}
