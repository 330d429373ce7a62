import { join } from "node:path";

/** Whether any order may be open: an idle box does not ask its catalog each two seconds. */
export interface Outstanding {
  any: boolean;
}

/** At a start nobody knows. */
export function openOutstanding(): Outstanding {
  return { any: true };
}

/** Where the order `nonce` lies until the helper has reported. */
export function orderPath(folder: string, nonce: string): string {
  return join(folder, `${nonce}.order`);
}
