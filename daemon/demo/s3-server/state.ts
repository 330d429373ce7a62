import { z } from "zod";

/** A file with (a part of) an object's bytes. */
const piece = z.object({
  file: z.string(),
  bytes: z.number(),
  /** In hex. */
  md5: z.string(),
  /** Checksums the client asked to be kept, in base64 by algorithm: `{sha256: "…"}`. */
  sums: z.record(z.string(), z.string()),
});

const retention = z.object({ mode: z.enum(["GOVERNANCE", "COMPLIANCE"]), untilMs: z.number() });

const version = z.object({
  key: z.string(),
  /** "null" where the bucket had no versioning. */
  id: z.string(),
  atMs: z.number(),
  /** A delete marker: no bytes, and the object seems gone. */
  marker: z.boolean(),
  /** Name of the user who wrote it. */
  writer: z.string().optional(),
  pieces: z.array(piece),
  bytes: z.number(),
  /** Without quotes. */
  etag: z.string(),
  /** Headers that are given back as they came: x-amz-meta-…, content-type. */
  facts: z.record(z.string(), z.string()),
  sums: z.record(z.string(), z.string()),
  /** Undefined: never said. */
  held: z.boolean().optional(),
  retention: retention.optional(),
});

const upload = z.object({
  id: z.string(),
  bucket: z.string(),
  key: z.string(),
  atMs: z.number(),
  facts: z.record(z.string(), z.string()),
  /** The checksum named at the start, in lower case. */
  algorithm: z.string().optional(),
  held: z.boolean().optional(),
  retention: retention.optional(),
});

const settings = z.object({
  name: z.string(),
  /** Name of the user who made it. */
  owner: z.string(),
  atMs: z.number(),
  versioning: z.enum(["Enabled", "Suspended"]).optional(),
  /** Undefined: made without object lock, and that never changes. */
  lock: z
    .object({ mode: z.enum(["GOVERNANCE", "COMPLIANCE"]).optional(), days: z.number().optional() })
    .optional(),
  /** Documents as they were put, by their name in the query: lifecycle, policy, replication… */
  documents: z.record(z.string(), z.string()),
});

/** Everything that can happen to the server's state; its journal is a line of JSON for each. */
export const change = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("bucket"), settings }),
  z.object({ kind: z.literal("bucket gone"), bucket: z.string() }),
  /** Adds the newest version of a key, or replaces the one with its id. */
  z.object({ kind: z.literal("version"), bucket: z.string(), version }),
  z.object({
    kind: z.literal("version gone"),
    bucket: z.string(),
    key: z.string(),
    id: z.string(),
  }),
  z.object({ kind: z.literal("upload"), upload }),
  z.object({ kind: z.literal("part"), upload: z.string(), number: z.number(), piece }),
  /** `etag` when it was completed: who asks again after a lost answer is told. */
  z.object({ kind: z.literal("upload gone"), upload: z.string(), etag: z.string().optional() }),
]);

export type Change = z.infer<typeof change>;
export type Piece = Readonly<z.infer<typeof piece>>;
export type Retention = Readonly<z.infer<typeof retention>>;
export type Version = Readonly<z.infer<typeof version>>;
export type Settings = Readonly<z.infer<typeof settings>>;

export interface Bucket {
  settings: Settings;
  /** Newest first. */
  readonly versions: Map<string, Version[]>;
  /** The keys in order, until one comes or goes. */
  sorted: readonly string[] | undefined;
}

export interface Upload extends Readonly<z.infer<typeof upload>> {
  readonly parts: Map<number, Piece>;
}

/** What the server knows; only `applyChange` changes it. */
export interface State {
  readonly buckets: Map<string, Bucket>;
  readonly uploads: Map<string, Upload>;
  /** Completed uploads with their tags. */
  readonly completed: Map<string, string>;
}
