/** The release that CHANGELOG.md begins with; undefined for what has not been released. */
export function newestRelease(changelog: string): string | undefined {
  return /^## (?:Unreleased|(\S+) –)/m.exec(changelog)?.[1];
}

/**
 * CHANGELOG.md in the form that Debian's programs read. What was not released yet is of the time `epoch`, in seconds, and is
 * called `version`, the package's.
 */
export function debianChangelog(
  changelog: string,
  version: string,
  epoch: number,
  maintainer: string,
): string {
  const sections = changelog.split(/^## /m).slice(1);
  const entries = sections.map((section) => {
    const [heading = "", ...lines] = section.split("\n");
    const [, release, date] = /^(\S+) – (.+)$/.exec(heading) ?? [];
    const at = date === undefined ? new Date(epoch * 1000) : new Date(`${date} 12:00 UTC`);
    const told = lines.filter((line) => line.trim() !== "").map(changed);
    const signed = ` -- ${maintainer}  ${at.toUTCString().replace("GMT", "+0000")}`;
    return `bewaard (${release ?? version}) stable; urgency=medium\n\n${told.join("\n")}\n\n${signed}\n`;
  });
  return entries.join("\n");
}

/** Points keep their own line, and what belongs to one is below it. */
function changed(line: string): string {
  const plain = line.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("**", "");
  if (/^[-*] /.test(plain)) return `  * ${plain.slice(2)}`;
  return /^\s/.test(plain) ? `    ${plain.trim()}` : `  * ${plain}`;
}
