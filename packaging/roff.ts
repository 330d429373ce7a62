/** Text that a manual page shows as it is, on one line. */
export function plain(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return escaped.replace(/^(?=[.'])/, "\\&");
}

export function bold(text: string): string {
  return `\\fB${plain(text)}\\fP`;
}

/** A term, and what it is about below it. */
export function entry(term: string, ...about: readonly string[]): string {
  const lines = about.filter((line) => line !== "").map(plain);
  return [".TP", term, ...(lines.length > 0 ? [lines.join("\n.br\n")] : [])].join("\n");
}

/** The head of the page `name`(`section`). Day: 2026-11-22. */
export function head(name: string, section: number, day: string, version: string): string {
  return `.TH ${name.toUpperCase()} ${section} ${day} "bewaard ${version}" bewaard\n.SH NAME`;
}
