import type { LifecycleRule } from "./s3-answers.ts";

/** A lifecycle rule as the SDK gives it, as far as it is looked at. */
interface ToldRule {
  readonly ID?: string | undefined;
  readonly Status?: string | undefined;
  readonly Prefix?: string | undefined;
  readonly Filter?:
    | {
        readonly Prefix?: string | undefined;
        readonly And?: { readonly Prefix?: string | undefined } | undefined;
      }
    | undefined;
  readonly Expiration?:
    | {
        readonly Days?: number | undefined;
        readonly Date?: Date | undefined;
        readonly ExpiredObjectDeleteMarker?: boolean | undefined;
      }
    | undefined;
  readonly NoncurrentVersionExpiration?:
    | {
        readonly NoncurrentDays?: number | undefined;
        readonly NewerNoncurrentVersions?: number | undefined;
      }
    | undefined;
  readonly AbortIncompleteMultipartUpload?:
    | { readonly DaysAfterInitiation?: number | undefined }
    | undefined;
  readonly Transitions?: readonly unknown[] | undefined;
  readonly NoncurrentVersionTransitions?: readonly unknown[] | undefined;
}

export function lifecycleRule(rule: ToldRule): LifecycleRule {
  const filter = rule.Filter ?? {};
  const beyondPrefix = Object.entries(filter).filter(
    ([name, value]) => name !== "Prefix" && value !== undefined,
  );
  return {
    id: rule.ID ?? "",
    enabled: rule.Status === "Enabled",
    prefix: filter.And?.Prefix ?? filter.Prefix ?? rule.Prefix ?? "",
    filtered: beyondPrefix.length > 0,
    expireDays: rule.Expiration?.Days,
    expireDate: rule.Expiration?.Date?.toISOString(),
    expireMarkers: rule.Expiration?.ExpiredObjectDeleteMarker ?? false,
    noncurrentDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
    newerNoncurrent: rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions,
    abortDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    moves: [rule.Transitions, rule.NoncurrentVersionTransitions].some(
      (transitions) => (transitions?.length ?? 0) > 0,
    ),
  };
}
