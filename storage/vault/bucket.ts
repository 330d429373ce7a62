/** A bucket as the configuration names it, and what is asked of it. */
export interface Bucket {
  /** Key of the EEA table, or `own`. */
  readonly provider: string;
  readonly region: string;
  /** URL without bucket or path. */
  readonly endpoint: string;
  readonly name: string;
  /** The account that must own it; sent with every request. */
  readonly owner: string | undefined;
  readonly level: "plain" | "locked";
  /** PEM of the authority that signed the endpoint's certificate; those that Node brings where undefined. */
  readonly certificate: string | undefined;
  /** Answers to "where are you?" that mean this region; empty for own storage, where any will do. */
  readonly reports: readonly string[];
}

/** Who asks: the box, its destroyer, a custodian. Never in a message, a log or the environment. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
