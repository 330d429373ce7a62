import { DAY_MS } from "#base/time";
import { ACCOUNT, type Call } from "./call.ts";
import { type LockWish, wishIn, wishOf } from "./lock.ts";
import { type Deed, judge, parsePolicy } from "./policy.ts";
import { denied } from "./refusal.ts";
import type { Bucket } from "./state.ts";

/** Says whether the caller may: a bucket's owner unless its policy denies it, others only where it allows. */
export function mayDo(call: Call, bucket: Bucket, action: string, key: string): boolean {
  const said = judged(call, bucket, action, key);
  const owns = call.caller === bucket.settings.owner || (key !== "" && wrote(call, bucket, action));
  return said === "allow" || (said === "silent" && owns);
}

/** Says whether the caller may delete what is locked in governance mode. */
export function mayBypass(call: Call, bucket: Bucket, key: string): boolean {
  const action = "s3:BypassGovernanceRetention";
  if (call.quirks.lockRights) return mayDo(call, bucket, action, key);
  return judged(call, bucket, action, key) !== "deny";
}

/** @throws Refusal AccessDenied. */
export function authorize(call: Call, bucket: Bucket, action: string, key: string): void {
  if (!mayDo(call, bucket, action, key)) throw denied();
}

function judged(call: Call, bucket: Bucket, action: string, key: string) {
  const { name, documents } = bucket.settings;
  const resource = `arn:aws:s3:::${name}${key === "" ? "" : `/${key}`}`;
  const deed: Deed = { caller: call.caller, action, resource, facts: factsOf(call, action) };
  const policy = documents["policy"];
  return policy === undefined ? "silent" : judge(parsePolicy(policy), deed);
}

/** True where who wrote the object owns it. Writing and deleting are about the bucket. */
function wrote({ caller, quirks, request }: Call, bucket: Bucket, action: string): boolean {
  if (quirks.ownerOwnsAll || caller === undefined) return false;
  if (action === "s3:PutObject" || action.startsWith("s3:DeleteObject")) return false;
  const id = request.query.get("versionId");
  const versions = bucket.versions.get(request.key) ?? [];
  const version = id === null ? versions[0] : versions.find((one) => one.id === id);
  return version?.writer === caller;
}

/** The condition keys of this request. A key that the request says nothing of is absent. */
function factsOf(call: Call, action: string): ReadonlyMap<string, string> {
  const { request, caller, clock, quirks } = call;
  const { query } = request;
  const facts = new Map<string, string>();
  const note = (key: string, value: string | null | undefined): void => {
    if (value !== undefined && value !== null) facts.set(key, value);
  };
  if (request.key === "" && (quirks.conditionKeys || action !== "s3:ListBucketMultipartUploads")) {
    for (const name of ["prefix", "delimiter", "max-keys"]) {
      note(`s3:${name}`, request.query.get(name));
    }
    if (!quirks.conditionKeys && request.method === "GET" && !facts.has("s3:max-keys")) {
      note("s3:max-keys", "1000");
    }
  }
  note("aws:username", caller);
  if (caller !== undefined) note("aws:principalarn", `arn:aws:iam::${ACCOUNT}:user/${caller}`);
  // Ceph notes that a connection is safe, and nothing when it is not.
  if (request.secure || quirks.conditionKeys) note("aws:securetransport", String(request.secure));
  if (!quirks.conditionKeys) return facts;
  if (action === "s3:PutObject") {
    // Neither the start of an upload nor a part of it makes an object.
    const makes = request.method === "POST" ? query.has("uploadId") : !query.has("uploadId");
    note("s3:objectcreationoperation", String(makes));
  }
  if (request.secure) note("s3:tlsversion", "1.3");
  note("s3:versionid", request.query.get("versionId"));
  note("s3:if-none-match", request.header("if-none-match"));
  const wish = lockIn(call);
  if (wish.held !== undefined) note("s3:object-lock-legal-hold", wish.held ? "ON" : "OFF");
  if (wish.retention !== undefined) {
    const leftMs = wish.retention.untilMs - clock.now();
    note("s3:object-lock-mode", wish.retention.mode);
    note("s3:object-lock-remaining-retention-days", String(Math.ceil(leftMs / DAY_MS)));
  }
  return facts;
}

function lockIn({ request, text }: Call): LockWish {
  const { method, query } = request;
  const document = method === "PUT" && (query.has("legal-hold") || query.has("retention"));
  return document ? wishIn(text) : wishOf(request);
}
