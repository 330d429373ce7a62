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
    const [, heading = "", text = ""] = /^([^\n]*)([^]*)$/.exec(section) ?? [];
    const [, release, date] = /^(\S+) – (.+)$/.exec(heading) ?? [];
    const at = date === undefined ? new Date(epoch * 1000) : new Date(`${date} 12:00 UTC`);
    // Points and paragraphs.
    const told = text.split(/\n\n+|\n(?=[-*] )/).filter((part) => part.trim() !== "");
    const signed = ` -- ${maintainer}  ${at.toUTCString().replace("GMT", "+0000")}`;
    return `bewaard (${release ?? version}) stable; urgency=medium\n\n${told.map(changed).join("\n")}\n\n${signed}\n`;
  });
  return entries.join("\n");
}

/** As wide as a terminal is. */
function changed(part: string): string {
  const plain = part.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("**", "");
  const words = plain
    .trim()
    .replace(/^[-*] /, "")
    .replaceAll(/\s+/g, " ");
  return `  * ${words.replaceAll(/(?=.{75})(.{1,74}) /g, "$1\n    ")}`;
}
