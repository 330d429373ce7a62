import { bucketOf, type Call, type Reply } from "./call.ts";
import { needDigest } from "./digests.ts";
import { publicAccessBlock } from "./documents.ts";
import { denied, malformed, Refusal } from "./refusal.ts";
import type { Settings } from "./state.ts";
import { childOf, documentOf, el, parseXml, textOf } from "./xml.ts";

/** What AWS has set in every new bucket. */
const AT_FIRST = {
  publicAccessBlock: publicAccessBlock(true),
  encryption: documentOf(
    "ServerSideEncryptionConfiguration",
    el("Rule", el("ApplyServerSideEncryptionByDefault", el("SSEAlgorithm", "AES256"))),
  ),
};

/** CreateBucket, with object lock if asked for: it can never be added later. */
export function createBucket(call: Call): Reply {
  const { clock, keep, request, region, caller, quirks } = call;
  if (caller === undefined) throw denied();
  const asked = call.text === "" ? undefined : textOf(parseXml(call.text), "LocationConstraint");
  if (asked !== undefined && asked !== region) throw new Refusal(400, "InvalidLocationConstraint");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(request.bucket)) {
    throw new Refusal(400, "InvalidBucketName");
  }
  const there = keep.state.buckets.get(request.bucket);
  if (there !== undefined) {
    const mine = there.settings.owner === caller;
    if (mine && !quirks.bucketOnce) return {};
    throw new Refusal(409, mine ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists");
  }
  const locked = request.header("x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true";
  const settings: Settings = {
    name: request.bucket,
    owner: caller,
    atMs: clock.now(),
    documents: quirks.settingsFromStart ? AT_FIRST : {},
    ...(locked ? { lock: {}, versioning: "Enabled" } : {}),
  };
  keep.make({ kind: "bucket", settings });
  return { headers: { location: `/${request.bucket}` } };
}

/** HeadBucket tells where the bucket is. */
export function headBucket(call: Call): Reply {
  bucketOf(call);
  return { headers: call.quirks.headTellsRegion ? { "x-amz-bucket-region": call.region } : {} };
}

export function deleteBucket(call: Call): Reply {
  const bucket = bucketOf(call);
  if (bucket.versions.size > 0) throw new Refusal(409, "BucketNotEmpty");
  call.keep.make({ kind: "bucket gone", bucket: call.request.bucket });
  return { status: 204 };
}

export function getLocation(call: Call): Reply {
  bucketOf(call);
  // The oldest region has no name here.
  const name = call.region === "us-east-1" ? "" : call.region;
  return { body: documentOf("LocationConstraint", name) };
}

export function getVersioning(call: Call): Reply {
  const { versioning } = bucketOf(call).settings;
  const status = versioning === undefined ? undefined : el("Status", versioning);
  return { body: documentOf("VersioningConfiguration", status) };
}

export function putVersioning(call: Call): Reply {
  const { settings } = bucketOf(call);
  const status = textOf(parseXml(call.text), "Status");
  if (status !== "Enabled" && status !== "Suspended") throw malformed();
  if (settings.lock !== undefined && status !== "Enabled") {
    throw new Refusal(409, "InvalidBucketState");
  }
  call.keep.make({ kind: "bucket", settings: { ...settings, versioning: status } });
  return {};
}

export function getLockConfiguration(call: Call): Reply {
  const { lock } = bucketOf(call).settings;
  if (lock === undefined) throw new Refusal(404, "ObjectLockConfigurationNotFoundError");
  const { mode, days } = lock;
  const rule =
    mode === undefined || days === undefined
      ? undefined
      : el("Rule", el("DefaultRetention", el("Mode", mode), el("Days", days)));
  return {
    body: documentOf("ObjectLockConfiguration", el("ObjectLockEnabled", "Enabled"), rule),
  };
}

export function putLockConfiguration(call: Call): Reply {
  const { settings } = bucketOf(call);
  if (call.quirks.needsDigest) needDigest(call.request);
  if (settings.lock === undefined) throw new Refusal(409, "InvalidBucketState");
  const rule = childOf(childOf(parseXml(call.text), "Rule"), "DefaultRetention");
  const mode = textOf(rule, "Mode");
  const days = Number(textOf(rule, "Days") ?? Number(textOf(rule, "Years")) * 365);
  if (rule === undefined) call.keep.make({ kind: "bucket", settings: { ...settings, lock: {} } });
  else {
    if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") throw malformed();
    if (!Number.isInteger(days) || days < 1) throw malformed();
    call.keep.make({ kind: "bucket", settings: { ...settings, lock: { mode, days } } });
  }
  return {};
}
