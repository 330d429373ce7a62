import { bucketOf, type Call, type Reply } from "./call.ts";
import { needDigest } from "./digests.ts";
import { readRules } from "./lifecycle.ts";
import { judge, parsePolicy } from "./policy.ts";
import { Refusal } from "./refusal.ts";
import { documentOf, el, parseXml } from "./xml.ts";

/** What a bucket says while a document was never put. */
const UNSET: Readonly<Record<string, string>> = {
  lifecycle: "NoSuchLifecycleConfiguration",
  replication: "ReplicationConfigurationNotFoundError",
  policy: "NoSuchBucketPolicy",
  publicAccessBlock: "NoSuchPublicAccessBlockConfiguration",
  encryption: "ServerSideEncryptionConfigurationNotFoundError",
};

/** What Ceph says then, of these. */
const EMPTY: Readonly<Record<string, string>> = {
  replication: documentOf("ReplicationConfiguration", el("Role", "")),
  publicAccessBlock: publicAccessBlock(false),
  encryption: documentOf("ServerSideEncryptionConfiguration"),
};

/** Documents a bucket gives back as they were put. */
export function getDocument(name: string): (call: Call) => Reply {
  return (call) => {
    const text = bucketOf(call).settings.documents[name];
    if (text === undefined) {
      const empty = call.quirks.settingsFromStart ? undefined : EMPTY[name];
      if (empty === undefined) throw new Refusal(404, UNSET[name] ?? "NotFound");
      return { body: empty };
    }
    const type = name === "policy" ? "application/json" : "application/xml";
    return { body: text, headers: { "content-type": type } };
  };
}

export function putDocument(name: string): (call: Call) => Reply {
  return (call) => {
    const { settings } = bucketOf(call);
    if (name === "policy") parsePolicy(call.text);
    else parseXml(call.text);
    if (name === "lifecycle") {
      if (call.quirks.needsDigest) needDigest(call.request);
      readRules(call.text);
    }
    const documents = { ...settings.documents, [name]: call.text };
    call.keep.make({ kind: "bucket", settings: { ...settings, documents } });
    return { status: name === "policy" ? 204 : 200 };
  };
}

export function deleteDocument(name: string): (call: Call) => Reply {
  return (call) => {
    const { settings } = bucketOf(call);
    const { [name]: _, ...documents } = settings.documents;
    call.keep.make({ kind: "bucket", settings: { ...settings, documents } });
    return { status: 204 };
  };
}

/** GetBucketPolicyStatus: public is what lets anybody do anything. */
export function getPolicyStatus(call: Call): Reply {
  const { documents, name } = bucketOf(call).settings;
  const policy = documents["policy"];
  if (policy === undefined) {
    if (call.quirks.settingsFromStart) throw new Refusal(404, "NoSuchBucketPolicy");
    return { body: documentOf("PolicyStatus", el("IsPublic", false)) };
  }
  const resource = `arn:aws:s3:::${name}/anything`;
  const asAnybody = { caller: undefined, resource, facts: new Map<string, string>() };
  const read = parsePolicy(policy);
  const open = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"].some(
    (action) => judge(read, { ...asAnybody, action }) === "allow",
  );
  return { body: documentOf("PolicyStatus", el("IsPublic", open)) };
}

export function publicAccessBlock(blocks: boolean): string {
  const names = "BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets";
  const all = names.split(" ").map((name) => el(name, blocks));
  return documentOf("PublicAccessBlockConfiguration", all);
}
