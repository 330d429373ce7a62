import type { Looks } from "../../storage/catalog/bodycams.ts";

/** What a bodycam is known by, for people. */
export function shownLooks({ vendor, product, serial, volume }: Looks): string {
  const none = "geen / none";
  return `${vendor}:${product}  serie / serial ${serial ?? none}  kaart / card ${volume ?? none}`;
}
