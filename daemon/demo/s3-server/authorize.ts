import { DAY_MS } from "#base/time";
import { ACCOUNT, type Call } from "./call.ts";
import { type LockWish, wishIn, wishOf } from "./lock.ts";
import { type Deed, judge, parsePolicy } from "./policy.ts";
import { denied } from "./refusal.ts";
import type { Bucket } from "./state.ts";

/** Says whether the caller may: a bucket's owner unless its policy denies it, others only where it allows. */
export function mayDo(call: Call, bucket: Bucket, action: string, key: string): boolean {
  const { name, owner, documents } = bucket.settings;
  const resource = `arn:aws:s3:::${name}${key === "" ? "" : `/${key}`}`;
  const deed: Deed = { caller: call.caller, action, resource, facts: factsOf(call) };
  const policy = documents["policy"];
  const judged = policy === undefined ? "silent" : judge(parsePolicy(policy), deed);
  return judged === "allow" || (judged === "silent" && call.caller === owner);
}

/** @throws Refusal AccessDenied. */
export function authorize(call: Call, bucket: Bucket, action: string, key: string): void {
  if (!mayDo(call, bucket, action, key)) throw denied();
}

/** The condition keys of this request. A key that the request says nothing of is absent. */
function factsOf(call: Call): ReadonlyMap<string, string> {
  const { request, caller, clock } = call;
  const facts = new Map<string, string>();
  const note = (key: string, value: string | null | undefined): void => {
    if (value !== undefined && value !== null) facts.set(key, value);
  };
  if (request.key === "") {
    for (const name of ["prefix", "delimiter", "max-keys"]) {
      note(`s3:${name}`, request.query.get(name));
    }
  }
  note("s3:versionid", request.query.get("versionId"));
  note("s3:if-none-match", request.header("if-none-match"));
  const wish = lockIn(call);
  if (wish.held !== undefined) note("s3:object-lock-legal-hold", wish.held ? "ON" : "OFF");
  if (wish.retention !== undefined) {
    const leftMs = wish.retention.untilMs - clock.now();
    note("s3:object-lock-mode", wish.retention.mode);
    note("s3:object-lock-remaining-retention-days", String(Math.ceil(leftMs / DAY_MS)));
  }
  note("aws:securetransport", String(request.secure));
  note("aws:username", caller);
  if (caller !== undefined) note("aws:principalarn", `arn:aws:iam::${ACCOUNT}:user/${caller}`);
  return facts;
}

function lockIn({ request, text }: Call): LockWish {
  const { method, query } = request;
  const document = method === "PUT" && (query.has("legal-hold") || query.has("retention"));
  return document ? wishIn(text) : wishOf(request);
}
