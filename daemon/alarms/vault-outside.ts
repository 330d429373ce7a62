import type { S3Place } from "../../config/bucket-schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { whereBucketsAre } from "../record-residency.ts";
import { type Alarm, once } from "./alarm.ts";

/** A bucket of this box said that it may be outside the EEA, or does not let us look (DH-11). */
export function vaultOutside(
  events: Events,
  database: Database,
  buckets: readonly Pick<S3Place, "bucket" | "region">[],
): Alarm {
  return {
    name: "vault-outside",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async () => {
      const known = await whereBucketsAre(database);
      return buckets.flatMap(({ bucket, region }) => {
        const why = known.get(bucket);
        return typeof why === "string"
          ? [{ about: bucket, tell: () => events.vaultOutside(bucket, region, why) }]
          : [];
      });
    },
    tellOver: (bucket) => {
      // One that was taken out of the configuration said nothing.
      const ours = buckets.find((one) => one.bucket === bucket);
      if (ours) events.vaultInside(bucket, ours.region);
    },
  };
}
