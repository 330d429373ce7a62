import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import type { Clock } from "#base/time";
import type { S3Place, S3Settings } from "../config/bucket-schema.ts";
import type { Config } from "../config/schema.ts";
import { attempt } from "../config/values.ts";
import type { Bucket } from "../storage/vault/bucket.ts";
import { openDirectoryVault, type Recognise } from "../storage/vault/directory.ts";
import { openResidency, type Whereabouts } from "../storage/vault/residency.ts";
import type { S3Credentials } from "../storage/vault/s3.ts";
import { memoryNotes, type UploadNotes } from "../storage/vault/upload-notes.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { bucketOf, residenceOf } from "./bucket-of.ts";

/** How a vault is opened. Of a directory `recognise` is all that counts. */
export interface VaultOpening {
  /** What the bucket knows us by; asked for only where it is a bucket. */
  readonly credentials: (level: Bucket["level"]) => Promise<S3Credentials>;
  readonly recognise?: Recognise;
  /** What must survive a restart; without, an upload that is cut off begins anew. */
  readonly notes?: UploadNotes;
  /** Hears where a bucket says that it is, before any byte goes there. */
  readonly told?: (whereabouts: Whereabouts) => Promise<void>;
}

/** Opens a directory or a bucket, as the configuration says. @throws BewaardError SECRET_MISSING, CONFIG_MISSING, CONFIG_INVALID. */
export async function openVault(
  clock: Clock,
  place: Config["vault"] | { readonly s3: S3Place },
  opening: VaultOpening,
): Promise<Vault> {
  if ("directory" in place) return openDirectoryVault(place.directory, opening.recognise);
  return openBucket(clock, place.s3, opening);
}

async function openBucket(
  clock: Clock,
  s3: S3Place & Partial<Pick<S3Settings, "level">>,
  { credentials, recognise, notes = memoryNotes(), told }: VaultOpening,
): Promise<Vault> {
  // The SDK is a fifth of what a box loads, and nothing to one whose vault is a folder.
  const { openS3Vault } = await import("../storage/vault/s3.ts");
  const { openS3Calls } = await import("../storage/vault/s3-calls.ts");
  const bucket = { ...bucketOf(s3), certificate: await authorityIn(s3.certificate) };
  const known = await credentials(bucket.level);
  await using opened = new AsyncDisposableStack();
  const asking = opened.use(openS3Calls(bucket, known.box));
  const residency = openResidency(clock, asking, residenceOf(s3), async (whereabouts) => {
    await told?.(whereabouts);
  });
  const options = { residency, notes, ...(recognise === undefined ? {} : { recognise }) };
  const vault = opened.use(openS3Vault(clock, bucket, known, options));
  const closing = opened.move();
  return { ...vault, [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose]() };
}

async function authorityIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return certificateIn(await readFile(path, "utf8"), path);
  } catch (cause) {
    if (cause instanceof BewaardError) throw cause;
    const message = `${path} cannot be read (${systemCode(cause)})`;
    throw new BewaardError("CONFIG_MISSING", message, { cause });
  }
}

/** What is no certificate would be no authority; an empty text would be all those that the system trusts. */
function certificateIn(pem: string, path: string): string {
  const each = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const isOne = attempt((text: string) => new X509Certificate(text));
  if (each.length > 0 && each.every((one) => isOne(one) !== undefined)) return pem;
  throw new BewaardError("CONFIG_INVALID", `${path} is no certificate in PEM`);
}
