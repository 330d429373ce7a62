import { z } from "zod";
import type { Clock } from "#base/time";
import type { S3Place } from "../config/bucket-schema.ts";
import { TABLE_VERSION } from "../config/eea-table.ts";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { canonical } from "../storage/ledger/canonical.ts";
import type { Whereabouts } from "../storage/vault/residency.ts";

/** What each bucket last answered, by its name. */
const remembered = z.record(z.string(), z.string());

/**
 * Makes the function that records what a bucket says of where it is: in the ledger when it is not what the
 * bucket said last, also before a restart. The alarm `vault-outside` goes by it.
 */
export function residencyRecorder(
  clock: Clock,
  database: Database,
  { provider, region, bucket }: Pick<S3Place, "provider" | "region" | "bucket">,
): (whereabouts: Whereabouts) => Promise<void> {
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
    await database.transaction(async (sql) => {
      const known = remembered.parse(JSON.parse((await readFact(sql, "residency")) ?? "{}"));
      if (known[bucket] === said) return;
      await writeFact(sql, "residency", canonical({ ...known, [bucket]: said }));
      await append(sql, clock.now(), [{ kind: "vault.residency", facts }]);
    });
  };
}

const answer = z.looseObject({ inside: z.boolean(), why: z.string().nullable() });

/** Of each bucket that was ever asked: null when it said that it is where it should be, else why nothing may go there. */
export async function whereBucketsAre(
  database: Database,
): Promise<ReadonlyMap<string, string | null>> {
  const text = await database.transaction((sql) => readFact(sql, "residency"));
  const known = Object.entries(remembered.parse(JSON.parse(text ?? "{}")));
  return new Map(known.map(([bucket, said]) => [bucket, answer.parse(JSON.parse(said)).why]));
}
