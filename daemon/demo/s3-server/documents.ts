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

/** Documents a bucket gives back as they were put. */
export function getDocument(name: string): (call: Call) => Reply {
  return (call) => {
    const text = bucketOf(call).settings.documents[name];
    if (text === undefined) throw new Refusal(404, UNSET[name] ?? "NotFound");
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
      if (call.quirks.documentsNeedDigest) needDigest(call.request);
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
  if (policy === undefined) throw new Refusal(404, "NoSuchBucketPolicy");
  const resource = `arn:aws:s3:::${name}/anything`;
  const asAnybody = { caller: undefined, resource, facts: new Map<string, string>() };
  const read = parsePolicy(policy);
  const open = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"].some(
    (action) => judge(read, { ...asAnybody, action }) === "allow",
  );
  return { body: documentOf("PolicyStatus", el("IsPublic", open)) };
}
