import { named } from "../../config/values.ts";

/** Which profile somebody typed. @throws RangeError for what is neither a shipped name nor an absolute path. */
export function parseProfile(text: string): string {
  const { success, data } = named.safeParse(text);
  if (success) return data;
  throw new RangeError(
    "een profiel, of het volledige pad van een eigen / a profile, or the absolute path of one of your own: generic-dcim, /etc/bewaard/profiles/our-model.yaml",
  );
}
