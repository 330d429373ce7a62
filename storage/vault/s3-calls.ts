import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { MINUTE_MS, SECOND_MS } from "#base/time";
import type { Bucket, Credential } from "./bucket.ts";
import type { S3Calls } from "./s3-answers.ts";
import { bucketCalls } from "./s3-bucket-calls.ts";
import { guardAnswers } from "./s3-guard.ts";
import { lockCalls } from "./s3-lock-calls.ts";
import { objectCalls } from "./s3-object-calls.ts";
import { uploadCalls } from "./s3-upload-calls.ts";
import { versionCalls } from "./s3-version-calls.ts";

// The SDK is met in files named `s3-*.ts` here, and nowhere else (test/docs.test.ts).

/** Who does not take a connection is away. */
const CONNECT_MS = 10 * SECOND_MS;
/** Nothing passed in either direction. Completing a large upload is silent for long. */
const SILENCE_MS = 2 * MINUTE_MS;
/** The SDK would write to the console. What went wrong is thrown. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Opens `bucket` for one credential. Nothing is asked yet. The environment and `~/.aws` are never read. */
export function openS3Calls(bucket: Bucket, credential: Credential): S3Calls {
  const client = clientOf(bucket, credential);
  guardAnswers(client);
  return {
    bucket,
    ...objectCalls(client, bucket),
    ...uploadCalls(client, bucket),
    ...versionCalls(client, bucket),
    ...lockCalls(client, bucket),
    ...bucketCalls(client, bucket),
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

function clientOf(
  { provider, region, endpoint, name, certificate }: Bucket,
  credential: Credential,
) {
  // Agents of our own: with its own, the SDK waits for "100 Continue" on a connection that forgets the authority.
  const options = {
    keepAlive: true,
    // Whatever the environment of who runs this says.
    rejectUnauthorized: true,
    ...(certificate === undefined ? {} : { ca: certificate }),
  };
  return new S3Client({
    endpoint,
    region,
    credentials: {
      accessKeyId: credential.accessKeyId,
      secretAccessKey: credential.secretAccessKey,
    },
    // AWS alone wants the bucket in the host name, and its certificate covers no dots there.
    forcePathStyle: provider !== "aws" || name.includes("."),
    requestHandler: {
      httpAgent: new HttpAgent(options),
      httpsAgent: new HttpsAgent(options),
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
    },
    // A stream with the SDK's own checksum becomes aws-chunked: refused by most, stored as it is by some.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    logger: SILENT,
    maxAttempts: 1,
    retryMode: "standard",
    followRegionRedirects: false,
    expectContinueHeader: false,
    // Each of these would be looked for in the environment and in ~/.aws.
    authSchemePreference: ["aws.auth#sigv4"],
    defaultsMode: "standard",
    disableClockSkewCorrection: true,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    sigv4aSigningRegionSet: [],
    useAccelerateEndpoint: false,
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: "bewaard",
  });
}
