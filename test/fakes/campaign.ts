/**
 * How many runs of a campaign of `full` runs to make now. `BEWAARD_CAMPAIGN_PERCENT` (1 to 100) makes a
 * build machine do a share of each; without it a campaign runs whole. Never none.
 */
export function campaign(full: number): number {
  const percent = Number(process.env["BEWAARD_CAMPAIGN_PERCENT"] ?? "100");
  if (!(percent > 0 && percent <= 100)) throw new RangeError("BEWAARD_CAMPAIGN_PERCENT: 1 to 100");
  return Math.max(1, Math.round((full * percent) / 100));
}
