import { S3Client } from "@aws-sdk/client-s3";

import type { Ceph } from "./ceph.ts";

/** The SDK itself with one credential: each call one request, and what Ceph says is what is thrown. */
export function clientOf(
  { endpoint, region, certificate }: Pick<Ceph, "endpoint" | "region" | "certificate">,
  credentials: Ceph["credential"],
): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: certificate === undefined ? {} : { httpsAgent: { ca: certificate } },
  });
}
