import { dayOf } from "#base/time";
import type { S3Place, S3Settings } from "../config/bucket-schema.ts";
import { OWN, regionOf, tellsOf } from "../config/eea.ts";
import type { Config, DeskConfig } from "../config/schema.ts";
import type { Bucket } from "../storage/vault/bucket.ts";
import type { Residence } from "../storage/vault/residency.ts";
import type { Declaration } from "./events-of-residency.ts";

// Buckets out of the configuration: what the vault is given of each, and what is known of where it is.

/** The bucket that the configuration names. Its `certificate` is for who opens it to read. */
export function bucketOf(s3: S3Place & Partial<Pick<S3Settings, "level">>): Bucket {
  return {
    provider: s3.provider,
    region: s3.region,
    endpoint: endpointOf(s3),
    name: s3.bucket,
    owner: s3.owner,
    level: s3.level ?? "plain",
    certificate: undefined,
    reports: residenceOf(s3).reports,
  };
}

/** What a bucket is to answer when it is asked where it is (DH-11). */
export function residenceOf({ provider, region }: S3Place): Residence {
  return { reports: regionOf(provider, region)?.reports ?? [], tells: tellsOf(provider) };
}

/** Every bucket that a box's or a desk's file names. */
function bucketsOf({ vault, secured }: Pick<Config | DeskConfig, "vault" | "secured">) {
  const places: readonly ({ readonly directory: string } | { readonly s3: S3Place })[] = [
    vault,
    ...(secured === undefined ? [] : [secured]),
  ];
  return places.flatMap((place) => ("s3" in place ? [place.s3] : []));
}

/** Who declared where own storage stands. Buckets of a provider have none: the table knows. */
export function declarationsOf(config: Pick<Config | DeskConfig, "vault" | "secured">) {
  return bucketsOf(config).flatMap((s3) => declarationOf(s3) ?? []);
}

function declarationOf(s3: S3Place): Declaration | undefined {
  const { provider, bucket, country, declared_by: declaredBy, declared_on: day } = s3;
  if (provider !== OWN || country === undefined || declaredBy === undefined || day === undefined)
    return undefined;
  return { bucket, country, declaredBy, declaredOn: dayOf(day) };
}

/** Without a slash at its end: with one it would be another vault to the box (VAULT_IDENTITY). */
function endpointOf({ provider, region, endpoint }: S3Place): string {
  const [usual] = regionOf(provider, region)?.hosts ?? [];
  if (endpoint !== undefined) return endpoint.replace(/\/$/, "");
  if (usual !== undefined) return `https://${usual}`;
  throw new TypeError("the schema asks for an endpoint where the table has none");
}
