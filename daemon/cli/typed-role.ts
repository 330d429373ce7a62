import { slug } from "../../config/values.ts";

/** @throws RangeError for what is no role, like a person's name. */
export function parseRole(text: string): string {
  const { success, data } = slug.safeParse(text);
  if (success) return data;
  throw new RangeError("een rol / a role: verantwoordelijke");
}
