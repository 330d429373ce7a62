import {
  createBucket,
  deleteBucket,
  getLocation,
  getLockConfiguration,
  getVersioning,
  headBucket,
  putLockConfiguration,
  putVersioning,
} from "./bucket-settings.ts";
import type { Call, Reply } from "./call.ts";
import { completeUpload } from "./complete-upload.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { deleteDocument, getDocument, getPolicyStatus, putDocument } from "./documents.ts";
import { getAttributes, getLock, getObject } from "./get-object.ts";
import { listObjects } from "./list-objects.ts";
import { listParts, listUploads } from "./list-uploads.ts";
import { listVersions } from "./list-versions.ts";
import { abortUpload, createUpload, uploadPart } from "./multipart.ts";
import { putLock, putObject } from "./put-object.ts";
import type { Quirks } from "./quirks.ts";
import { Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";

/** What one kind of request needs and does. */
export interface Route {
  /** The right it takes; undefined where it asks for its own. */
  readonly action: string | undefined;
  readonly run: (call: Call) => Reply | Promise<Reply>;
  /** True when the body is an object's bytes, which `run` takes itself. */
  readonly streams?: true;
}

/** By method and the query's word, as S3 has it: "GET ?versions". */
const OF_BUCKET: Readonly<Record<string, Route>> = {
  PUT: { action: undefined, run: createBucket },
  HEAD: { action: "s3:ListBucket", run: headBucket },
  DELETE: { action: "s3:DeleteBucket", run: deleteBucket },
  GET: { action: "s3:ListBucket", run: listObjects },
  "GET ?versions": { action: "s3:ListBucketVersions", run: listVersions },
  "GET ?uploads": { action: "s3:ListBucketMultipartUploads", run: listUploads },
  "POST ?delete": { action: undefined, run: deleteObjects },
  "GET ?location": { action: "s3:GetBucketLocation", run: getLocation },
  "GET ?versioning": { action: "s3:GetBucketVersioning", run: getVersioning },
  "PUT ?versioning": { action: "s3:PutBucketVersioning", run: putVersioning },
  "GET ?object-lock": { action: "s3:GetBucketObjectLockConfiguration", run: getLockConfiguration },
  "PUT ?object-lock": { action: "s3:PutBucketObjectLockConfiguration", run: putLockConfiguration },
  "GET ?policyStatus": { action: "s3:GetBucketPolicyStatus", run: getPolicyStatus },
  "PUT ?acl": { action: "s3:PutBucketAcl", run: notHere },
  ...documentRoutes("lifecycle", "LifecycleConfiguration", "PutLifecycleConfiguration"),
  ...documentRoutes("replication", "ReplicationConfiguration", "PutReplicationConfiguration"),
  ...documentRoutes("policy", "BucketPolicy", "DeleteBucketPolicy"),
  ...documentRoutes("publicAccessBlock", "BucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
  ...documentRoutes("encryption", "EncryptionConfiguration", "PutEncryptionConfiguration"),
};

const OF_OBJECT: Readonly<Record<string, Route>> = {
  PUT: { action: "s3:PutObject", run: putObject, streams: true },
  GET: { action: "s3:GetObject", run: getObject },
  HEAD: { action: "s3:GetObject", run: getObject },
  DELETE: { action: undefined, run: deleteObject },
  "GET ?attributes": { action: "s3:GetObject", run: getAttributes },
  "GET ?legal-hold": { action: "s3:GetObjectLegalHold", run: getLock },
  "PUT ?legal-hold": { action: "s3:PutObjectLegalHold", run: putLock },
  "GET ?retention": { action: "s3:GetObjectRetention", run: getLock },
  "PUT ?retention": { action: "s3:PutObjectRetention", run: putLock },
  // Who may not is told so, as everywhere; who may is told that this server cannot.
  "PUT ?acl": { action: "s3:PutObjectAcl", run: notHere },
  "PUT ?tagging": { action: "s3:PutObjectTagging", run: notHere },
  "POST ?uploads": { action: "s3:PutObject", run: createUpload },
  "PUT ?uploadId": { action: "s3:PutObject", run: uploadPart, streams: true },
  "POST ?uploadId": { action: "s3:PutObject", run: completeUpload },
  "GET ?uploadId": { action: "s3:ListMultipartUploadParts", run: listParts },
  "DELETE ?uploadId": { action: "s3:AbortMultipartUpload", run: abortUpload },
};

/** Words of the query that make another request of the same method and address. */
const WORDS =
  "accelerate acl analytics attributes cors delete encryption inventory legal-hold lifecycle location " +
  "logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock " +
  "replication requestPayment restore retention select tagging torrent uploadId uploads versioning " +
  "versions website";

/** The route of a request. @throws Refusal NotImplemented for what this server has not. */
export function routeOf(request: S3Request, quirks: Quirks): Route {
  const { method, query, key } = request;
  const word = WORDS.split(" ").find(
    (one) => query.has(one) && (one !== "attributes" || quirks.attributes),
  );
  const name = word === undefined ? method : `${method} ?${word}`;
  const route = (key === "" ? OF_BUCKET : OF_OBJECT)[name];
  if (route === undefined) throw new Refusal(501, "NotImplemented", `no ${name} here`);
  const byVersion = query.has("versionId") && route.action === "s3:GetObject";
  return byVersion ? { ...route, action: "s3:GetObjectVersion" } : route;
}

function notHere({ request }: Call): never {
  throw new Refusal(501, "NotImplemented", `no such ${request.method} here`);
}

function documentRoutes(name: string, right: string, removal: string): Record<string, Route> {
  return {
    [`GET ?${name}`]: { action: `s3:Get${right}`, run: getDocument(name) },
    [`PUT ?${name}`]: { action: `s3:Put${right}`, run: putDocument(name) },
    [`DELETE ?${name}`]: { action: `s3:${removal}`, run: deleteDocument(name) },
  };
}
