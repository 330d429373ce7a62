/** The folders of the root helper. Tests give it their own; nothing of them comes from the environment. */
export interface HelperPlaces {
  readonly sys: string;
  readonly dev: string;
  /** What core leaves for the helper: `orders/<nonce>.order`, `paired.note`. Core's user owns it. */
  readonly state: string;
  /** Records of cards, for everybody to read. */
  readonly cards: string;
  /** Where cards are mounted, each in a folder of its name. */
  readonly media: string;
  /** What came of each order. */
  readonly reports: string;
  /** One file for each order that was ever begun. Outlives a restart of the machine. */
  readonly used: string;
  /** The node's public key, root's own. */
  readonly verifier: string;
}

export const HELPER_PLACES: HelperPlaces = {
  sys: "/sys",
  dev: "/dev",
  state: "/var/lib/bewaard",
  cards: "/run/bewaard/cards",
  media: "/run/bewaard/media",
  reports: "/run/bewaard/reports",
  used: "/var/lib/bewaard-helper/used",
  verifier: "/etc/bewaard/node.vkey",
};
