import { encoded } from "./signature.ts";
import type { Bucket, Version } from "./state.ts";
import { el, type Xml } from "./xml.ts";

/** Of a page. */
export const MOST = 1000;

/** What a list was asked for. */
export interface ListWish {
  readonly prefix: string;
  readonly delimiter: string;
  readonly most: number;
  /** A key as this client wants to read it. */
  readonly shown: (key: string) => string;
}

/** In the order of their bytes for all that lies in Unicode's first plane. */
export function sortedKeys(bucket: Bucket): readonly string[] {
  bucket.sorted ??= [...bucket.versions.keys()].toSorted();
  return bucket.sorted;
}

/** Reads what all lists are asked in the same words; `most` is what this one calls the length of a page. */
export function listWishOf(query: URLSearchParams, most: string): ListWish {
  const url = query.get("encoding-type") === "url";
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    most: Math.min(Number(query.get(most) ?? MOST), MOST),
    shown: (key) => (url ? encoded(key).replaceAll("%2F", "/") : key),
  };
}

/** What every list begins with. */
export function headOf(
  bucket: Bucket,
  wish: ListWish,
  most: string,
  more: boolean,
): readonly Xml[] {
  return [
    el("Name", bucket.settings.name),
    el("Prefix", wish.shown(wish.prefix)),
    el(most, wish.most),
    el("IsTruncated", more),
  ];
}

/** What a list says of a version with bytes. */
export function sizeOf({ atMs, etag, bytes }: Version): readonly Xml[] {
  const at = el("LastModified", isoDate(atMs));
  return [at, el("ETag", `"${etag}"`), el("Size", bytes), el("StorageClass", "STANDARD")];
}

export function isoDate(atMs: number): string {
  return new Date(atMs).toISOString();
}
