import { FOREIGN_DOMAINS, OWN_TELLS, PROVIDERS, type Region, type Tells } from "./eea-table.ts";

/** The European Economic Area, by ISO 3166-1: the 27 of the Union, and Iceland, Liechtenstein and Norway (DH-11). */
// biome-ignore format: a table
export const EEA_COUNTRIES = [
  "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
  "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
  "IS", "LI", "NO",
] as const;

/** Storage of one's own: its country is declared. */
export const OWN = "own";

/** The row of the table; undefined for what is not in it, and that is refused. */
export function regionOf(provider: string, region: string): Region | undefined {
  const regions = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider]?.regions : undefined;
  return regions && Object.hasOwn(regions, region) ? regions[region] : undefined;
}

/** The regions of a provider that are in the EEA. */
export function regionsOf(provider: string): readonly string[] {
  return Object.keys(PROVIDERS[provider]?.regions ?? {});
}

/** What buckets of `provider` tell of themselves. */
export function tellsOf(provider: string): Tells {
  return PROVIDERS[provider]?.tells ?? OWN_TELLS;
}

/**
 * Whether `endpoint` is, letter for letter, an address of `region`: https, one of its hosts, and nothing else.
 * Not even what would come down to the same, such as capitals or a port: a look-alike has nothing to hide in.
 */
export function isEndpointOf({ hosts, hostPattern }: Region, endpoint: string): boolean {
  const [, host] = /^https:\/\/([a-z0-9.-]+)\/?$/.exec(endpoint) ?? [];
  // What the pattern's $ would let through, the line above has not.
  return host !== undefined && (hosts.includes(host) || hostPattern?.test(host) === true);
}

/** Whether a host is one of a provider that the table knows: a declaration is no way around the table. */
export function isOfKnownProvider(host: string): boolean {
  const name = host.toLowerCase().replace(/\.+$/, "");
  const domains = [...Object.values(PROVIDERS).flatMap((one) => one.domains), ...FOREIGN_DOMAINS];
  return domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
}
