import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { dayOf } from "#base/time";
import { type S3Settings, vaultSchema } from "../../config/bucket-schema.ts";
import { readCredentialFile } from "../../config/secrets.ts";
import type { Credential } from "../../storage/vault/bucket.ts";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { bucketOf } from "../bucket-of.ts";
import type { DemoBucket } from "./demo-bucket.ts";
import type { Show } from "./show.ts";

/** What somebody who runs the demo says of a bucket of his own. */
export interface GivenBucket {
  readonly address: string;
  readonly credential: Credential;
}

/** @throws BewaardError USAGE when one of the two is not said. */
export async function givenBucket(
  address: string | undefined,
  credentialPath: string | undefined,
): Promise<GivenBucket | undefined> {
  if (address === undefined && credentialPath === undefined) return undefined;
  if (address !== undefined && credentialPath !== undefined)
    return { address, credential: await readCredentialFile(credentialPath) };
  throw new BewaardError("USAGE", "--vault, --credential: noem beide / name both");
}

/**
 * A bucket somewhere, for the demo: `s3://<bucket>?endpoint=https://…&region=…&level=locked&provider=own&country=NL`.
 * It must be empty, for it is emptied afterwards; what its locks keep is told of.
 * @throws BewaardError USAGE for an address that is none, VAULT_CONFLICT when something is in it.
 */
export async function openGivenBucket(
  { address, credential }: GivenBucket,
  show: Show,
): Promise<DemoBucket> {
  const written = writtenIn(address);
  const settings = settingsOf(written);
  const calls = openS3Calls(bucketOf(settings), credential);
  const there = await calls.listVersions("", undefined, 1);
  if (there.versions.length > 0) {
    await calls[Symbol.asyncDispose]();
    const message = `${settings.bucket}: de demo vraagt een lege emmer / the demo needs an empty bucket`;
    throw new BewaardError("VAULT_CONFLICT", message);
  }
  return {
    settings: { ...written, level: settings.level },
    known: { box: credential, destroyer: credential, custodian: credential },
    breakGlass: undefined,
    async [Symbol.asyncDispose]() {
      await empty(calls, show);
      await calls[Symbol.asyncDispose]();
    },
  };
}

/** As it would stand in the file. */
function writtenIn(address: string): Readonly<Record<string, string>> {
  const url = URL.parse(address);
  if (url?.protocol !== "s3:") throw notAnAddress("s3://bucket?endpoint=https://…&region=…");
  const asked = Object.fromEntries(url.searchParams);
  const declared = { declared_by: "demo", declared_on: dayOf(systemClock.now()) };
  const own = { provider: "own", country: "NL", ...declared };
  return { ...("provider" in asked ? {} : own), level: "plain", bucket: url.hostname, ...asked };
}

function settingsOf(written: Readonly<Record<string, string>>): S3Settings {
  const { data, error } = vaultSchema("").safeParse({ s3: written });
  if (data !== undefined && "s3" in data) return data.s3;
  const mistakes = error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw notAnAddress(mistakes?.join("; ") ?? "");
}

function notAnAddress(why: string): BewaardError {
  return new BewaardError("USAGE", `--vault: ${why}`);
}

async function empty(calls: S3Calls, show: Show): Promise<void> {
  let kept = 0;
  let after: Parameters<S3Calls["listVersions"]>[1];
  do {
    const page = await calls.listVersions("", after, 1000);
    if (page.versions.length > 0) kept += (await calls.deleteVersions(page.versions)).length;
    after = page.next;
  } while (after);
  show.say(
    kept === 0
      ? "de emmer is weer leeg / the bucket is empty again"
      : `${kept} blijven tot hun slot eindigt / stay until their lock ends`,
  );
}
