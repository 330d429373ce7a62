import { z } from "zod";
import { EEA_COUNTRIES, isEndpointOf, isOfKnownProvider, OWN, regionOf, regionsOf } from "./eea.ts";
import { PROVIDERS } from "./eea-table.ts";
import { absolutePath, attempt, day, over, reference, slug } from "./values.ts";

// Where footage is stored outside the box. A secret never stands here: config/secrets.ts.

const REGION = 'write the provider\'s name of the region, like "eu-central-1"';
const ADDRESS = 'write its address, like "https://s3.eu-central-1.amazonaws.com"';
const BUCKET =
  "write the plain name of a bucket: 3 to 63 small letters, digits and hyphens; no dot, no alias, no access point";
const OWNER = 'write the number of the account between quotes, like "123456789012"';

/** What names something else than one bucket in one place, or is kept for that. */
const NO_PLAIN_BUCKET = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|--x-s3|--table-s3)$/;

/** Plain names only. No dots: a certificate for `*.host` covers none, and `.mrap` is one. */
export function isPlainBucket(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) && !NO_PLAIN_BUCKET.test(name);
}

const keys = {
  provider: z
    .enum([...Object.keys(PROVIDERS), OWN])
    .describe("Who keeps the bucket; own for storage of the organisation itself."),
  region: z
    .string(REGION)
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, REGION)
    .describe("The region: one of the provider's in the EEA (DH-11)."),
  endpoint: z
    .string(ADDRESS)
    .refine(isAddress, ADDRESS)
    .optional()
    .describe("Its address, over https. Without it: the usual one of the region."),
  bucket: z.string(BUCKET).refine(isPlainBucket, BUCKET).describe("The bucket's plain name."),
  owner: z
    .string(OWNER)
    .regex(/^\d{12}$/, OWNER)
    .optional()
    .describe("The account it belongs to: a bucket of the same name of somebody else is refused."),
  certificate: absolutePath
    .optional()
    .describe(
      "PEM file with the root of its certificate; without it, the public ones that Node brings.",
    ),
  country: z
    .enum(EEA_COUNTRIES, "write the code of a country in the EEA, like NL")
    .optional()
    .describe("Of own storage: where it stands, a country of the EEA."),
  declared_by: slug.optional().describe("Of own storage: the role that declares where it stands."),
  declared_on: day.optional().describe("Of own storage: the day of that declaration."),
};

const level = z
  .enum(["locked", "plain"])
  .describe("locked: the bucket itself guards term and holds; plain: it cannot.");

interface Written {
  readonly provider: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly country?: string | undefined;
  readonly declared_by?: string | undefined;
  readonly declared_on?: number | undefined;
}

const DECLARATION = ["country", "declared_by", "declared_on"] as const;

/** What the keys of a bucket say against each other, and against the table of the EEA. */
function disagreements(s3: Written): readonly (readonly [key: string, what: string])[] {
  if (s3.provider === OWN) return ofOwn(s3);
  const declared = DECLARATION.filter((key) => s3[key] !== undefined).map(
    (key) =>
      [key, "leave it out: only own storage is declared, of others the table knows"] as const,
  );
  const region = regionOf(s3.provider, s3.region);
  if (region === undefined) {
    const there = regionsOf(s3.provider).join(", ");
    return [["region", `not a region of this provider in the EEA (DH-11); there are: ${there}`]];
  }
  const [usual] = region.hosts;
  if (s3.endpoint === undefined) {
    const what = "with this provider the account is part of the address";
    return usual === undefined ? [["endpoint", what], ...declared] : declared;
  }
  if (isEndpointOf(region, s3.endpoint)) return declared;
  const write =
    usual === undefined
      ? 'with the account and ".eu." in it, as the provider shows it'
      : `leave it out, or write ${region.hosts.map((host) => `"https://${host}"`).join(" or ")}`;
  return [["endpoint", `not an address of this region (DH-11): ${write}`], ...declared];
}

function ofOwn(s3: Written): readonly (readonly [key: string, what: string])[] {
  const missing = DECLARATION.filter((key) => s3[key] === undefined).map(
    (key) => [key, "of own storage somebody declares where it stands (DH-11)"] as const,
  );
  if (s3.endpoint === undefined) return [["endpoint", ADDRESS], ...missing];
  if (isOfKnownProvider(new URL(s3.endpoint).hostname)) {
    const what = "the address of a provider: name that provider; it is no own storage (DH-11)";
    return [["endpoint", what], ...missing];
  }
  return missing;
}

function agreeing(s3: Written, context: z.RefinementCtx): void {
  for (const [key, message] of disagreements(s3)) {
    context.addIssue({ code: "custom", path: [key], message, params: { rule: true } });
  }
}

const { when } = over("provider", "region", "endpoint");
const s3WithLevel = z.strictObject({ ...keys, level }).superRefine(agreeing, { when });
const s3Alone = z.strictObject(keys).superRefine(agreeing, { when });

/** A bucket, and what its site says of it. */
export type S3Settings = z.output<typeof s3WithLevel>;
/** One that has no level: what lies there lies there as a second copy. */
export type S3Place = z.output<typeof s3Alone>;

const ONE = "write one of the two: directory, or s3";

/** A directory or a bucket: exactly one of them. */
function oneOf<S3>(
  { directory, s3 }: { directory?: string | undefined; s3?: S3 | undefined },
  context: z.RefinementCtx,
): { directory: string } | { s3: S3 } {
  if (directory !== undefined && s3 === undefined) return { directory };
  if (s3 !== undefined && directory === undefined) return { s3 };
  context.addIssue({ code: "custom", message: ONE });
  return z.NEVER;
}

/** The vault, in words for who reads of it. */
export function vaultSchema(directory: string) {
  return z
    .strictObject({
      directory: absolutePath.optional().describe(directory),
      s3: s3WithLevel.optional().describe("A bucket inside the EEA, in place of a directory."),
    })
    .transform((place, context) => oneOf<S3Settings>(place, context));
}

/** The separate medium that held footage is copied to (AR-20). */
export const securedSchema = z
  .strictObject({
    directory: absolutePath.optional().describe("Where the removable disk is mounted."),
    s3: s3Alone.optional().describe("A bucket inside the EEA, in place of a directory."),
    medium: slug.describe("What it is."),
    serial: reference.describe("What is written on it."),
  })
  .transform(({ medium, serial, ...place }, context) => ({
    ...oneOf<S3Place>(place, context),
    medium,
    serial,
  }));

/** Whether bytes would go there without TLS: for a demo on this machine only. */
export function isUnencrypted(place: unknown): boolean {
  return unencrypted.safeParse(place).success;
}

const unencrypted = z.looseObject({
  s3: z.looseObject({ endpoint: z.string().startsWith("http://") }),
});

/** https to any host, http to this machine; a host, perhaps a port, and nothing else. */
function isAddress(text: string): boolean {
  const url = attempt((address) => new URL(address))(text);
  if (url === undefined || `${url.username}${url.password}${url.search}${url.hash}` !== "")
    return false;
  // A backslash is a slash to who reads addresses, and what cannot be seen is left out.
  if (!/^https?:\/\/[^/\\?#@\s\p{Cc}\p{Cf}]+\/?$/u.test(text)) return false;
  return url.protocol === "https:" || ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
}
