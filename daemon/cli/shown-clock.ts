// Why a clock is trusted or not, in Dutch; daemon/trust.ts says it in English, and the ledger keeps that.

const WHYS: readonly (readonly [RegExp, string])[] = [
  [/^never confirmed on this box$/, "nog nooit bevestigd op deze kast"],
  [/^the machine was started$/, "de machine is gestart"],
  [/^the clock jumped (.+) h ahead$/, "de klok sprong $1 uur vooruit"],
  [/^the clock jumped (.+) h back$/, "de klok sprong $1 uur terug"],
  [/^the clock is behind the ledger's newest entry$/, "de klok loopt achter op het logboek"],
  [/^outside sources disagree about the time$/, "bronnen van buiten spreken elkaar tegen"],
  [/^(\d+) outside sources agree, (\d+) do not$/, "$1 bronnen van buiten zijn het eens, $2 niet"],
  [/^confirmed at (.+)$/, "bevestigd op $1"],
];

/** In Dutch; what is not known here as it is. */
export function clockWhy(why: string): string {
  const [known, dutch] = WHYS.find(([english]) => english.test(why)) ?? [];
  return known && dutch ? why.replace(known, dutch) : why;
}
