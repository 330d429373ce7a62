import type { Say } from "./say.ts";

// What there is to say of where the vault is (DH-11): a part of daemon/events.ts.

export function residencyEvents(say: Say) {
  return {
    vaultDeclared: (declaration: Declaration) =>
      say(
        "notice",
        "vault-declared",
        "nobody can see where bucket {bucket} stands: the administrator declared {country} on {declaredOn} (door beheerder verklaard)",
        declaration,
      ),
    vaultInside: (bucket: string, region: string) =>
      say(
        "notice",
        "vault-inside",
        "bucket {bucket} says that it is where it should be: {region}",
        { bucket, region },
      ),
    vaultOutside: (bucket: string, region: string, why: string) =>
      say(
        "alert",
        "vault-outside",
        "bucket {bucket} may be outside the EEA, nothing is sent there, recording goes on",
        { bucket, region, why },
      ),
  };
}

/** Who said where own storage stands. */
export interface Declaration {
  readonly bucket: string;
  readonly country: string;
  readonly declaredBy: string;
  /** Day, `2026-11-01`. */
  readonly declaredOn: string;
}
