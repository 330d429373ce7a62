import { bold, entry, head, plain } from "./roff.ts";

/** The manual page of bewaard.yaml: docs/configuration.md in the form that `man` shows. */
export function configurationPage(markdown: string, day: string, version: string): string {
  const blocks = markdown.split(/^(```[^]*?^```)$/m).flatMap(
    (part) => (part.startsWith("```") ? [verbatim(part)] : part.split(/\n{2,}/).map(block)), //
  );
  return `${[
    head("bewaard.yaml", 5, day, version),
    "bewaard.yaml \\- configuration of bewaard: box, policy, annex, profile, desk",
    ".SH DESCRIPTION",
    ...blocks.filter((one) => one !== ""),
    ".SH SEE ALSO",
    "\\fBbewaard\\fP(8), \\fBbewaarctl\\fP(1)",
  ].join("\n")}\n`;
}

function verbatim(fenced: string): string {
  const lines = fenced.split("\n").slice(1, -1);
  return [".PP", ".RS 4", ".nf", ...lines.map(plain), ".fi", ".RE"].join("\n");
}

function block(text: string): string {
  const trimmed = text.trim();
  const [, marks = "", title = "", rest = ""] = /^(#+) ([^\n]+)\n?([^]*)$/.exec(trimmed) ?? [];
  if (marks === "#") return rest === "" ? "" : block(rest);
  if (marks !== "") {
    const heading = `.${marks === "##" ? "SH" : "SS"} "${plain(inline(title))}"`;
    return rest === "" ? heading : `${heading}\n${block(rest)}`;
  }
  if (trimmed.startsWith("|")) return table(trimmed);
  if (/^(?:-|\d+\.) /.test(trimmed)) return list(trimmed);
  return trimmed === "" ? "" : `.PP\n${flowing(trimmed)}`;
}

/** Each row as a term, with its other columns below it, each under the name of its column. */
function table(text: string): string {
  const [titles = [], , ...rows] = text.split("\n").map(cells);
  return rows
    .map(([key = "", meaning = "", ...others]) =>
      entry(
        bold(inline(key)),
        inline(meaning),
        others
          .map((one, index) => `${titles[index + 2] ?? ""}: ${inline(one)}`)
          .filter((one) => !one.endsWith(": "))
          .join("; "),
      ),
    )
    .join("\n");
}

function cells(row: string): readonly string[] {
  return row
    .replaceAll(/^\s*\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function list(text: string): string {
  const points = text.split(/^(?:-|\d+\.) /m).slice(1);
  return points.map((point) => `.IP \\(bu 2\n${flowing(point)}`).join("\n");
}

function flowing(text: string): string {
  return plain(
    inline(text)
      .replaceAll(/\s*\n\s*/g, " ")
      .trim(),
  );
}

/** Marks of the text are left out; of a link its text stays. */
function inline(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("**", "")
    .replaceAll(/(?<![A-Za-z0-9])_([^_]+)_(?![A-Za-z0-9])/g, "$1")
    .replaceAll("`", "");
}
