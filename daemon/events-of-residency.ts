import type { Say } from "./say.ts";

// What there is to say of where the vault is (DH-11): a part of daemon/events.ts.

export function residencyEvents(say: Say) {
  return {
    vaultDeclared: (declaration: Declaration) =>
      say(
        "notice",
        "vault-declared",
        "nobody can see where own storage stands: declared by the administrator (door beheerder verklaard)",
        declaration,
      ),
    vaultInside: (bucket: string, region: string) =>
      say("notice", "vault-inside", "the bucket says that it is where it should be", {
        bucket,
        region,
      }),
    vaultOutside: (bucket: string, region: string, why: string) =>
      say(
        "alert",
        "vault-outside",
        "the bucket may be outside the EEA: nothing is sent there, recording goes on",
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
