import { AUTH_ROWS } from "./s3-rows-auth.ts";
import { BUCKET_ROWS } from "./s3-rows-bucket.ts";
import { CONDITION_ROWS } from "./s3-rows-conditions.ts";
import { LIFECYCLE_ROWS } from "./s3-rows-lifecycle.ts";
import { LOCK_ROWS } from "./s3-rows-locks.ts";
import { POLICY_ROWS } from "./s3-rows-policy.ts";
import { READING_ROWS } from "./s3-rows-reading.ts";
import { UPLOAD_ROWS } from "./s3-rows-uploads.ts";
import { VERSION_ROWS } from "./s3-rows-versions.ts";
import { WRITING_ROWS } from "./s3-rows-writing.ts";

/**
 * What the vault relies upon in a server of S3, and what it must not rely upon, row by row. Every server that
 * is tested against runs all of them: who answers otherwise is listed in s3-quirks.ts with why, or fails.
 */
export const ROWS = [
  ...AUTH_ROWS,
  ...BUCKET_ROWS,
  ...WRITING_ROWS,
  ...READING_ROWS,
  ...UPLOAD_ROWS,
  ...VERSION_ROWS,
  ...LOCK_ROWS,
  ...POLICY_ROWS,
  ...CONDITION_ROWS,
  ...LIFECYCLE_ROWS,
];
