import canonicalize from "canonicalize";

/** JSON values as they may stand in a ledger entry: no undefined, no float that prints twofold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The one byte form of a value: RFC 8785. What is hashed and signed is always this. */
export function canonical(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}
