/** The European Economic Area, by ISO 3166-1: the 27 of the Union, and Iceland, Liechtenstein and Norway (DH-11). */
// biome-ignore format: a table
export const EEA_COUNTRIES = [
  "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
  "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
  "IS", "LI", "NO",
] as const;
