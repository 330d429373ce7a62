import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { MESSAGE_IDS } from "../daemon/journal/message-ids.ts";
import { UNSIGNED } from "../daemon/ordering/order-desk.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const CATALOGS = "systemd/catalog";
const LANGUAGES = [
  ["bewaard.catalog", "What to do: "],
  ["bewaard.nl.catalog", "Wat te doen: "],
] as const;

interface Entry {
  readonly event: string;
  readonly id: string;
  readonly headers: readonly string[];
  readonly body: string;
}

async function entriesOf(file: string): Promise<readonly Entry[]> {
  const [, ...parts] = (await readFile(join(CATALOGS, file), "utf8")).split(/^# (?=[a-z-]+\n-- )/m);
  return parts.map((part) => {
    const [event = "", header = "", ...rest] = part.split("\n");
    const blank = rest.indexOf("");
    return {
      event,
      id: header.replace(/^-- /, ""),
      headers: rest.slice(0, blank),
      body: rest.slice(blank).join("\n").trim(),
    };
  });
}

describe("the journal's catalogs", () => {
  for (const [file, toDo] of LANGUAGES)
    it(`say of each event what happened and what to do: ${file}`, async () => {
      const entries = await entriesOf(file);
      assert.deepEqual(
        Object.fromEntries(entries.map(({ event, id }) => [event, id])),
        MESSAGE_IDS,
      );
      for (const { event, headers, body } of entries) {
        assert.match(headers[0] ?? "", /^Subject: \p{Lu}.{5,}[^.]$/u, event);
        assert.deepEqual(headers.slice(1), [
          "Defined-By: bewaard",
          "Documentation: file:///usr/share/doc/bewaard/operations.md",
        ]);
        const [happened = "", act = "", ...more] = body.split("\n\n");
        assert.match(happened, /^[^a-z][^]*\.$/, event);
        assert.ok(act.startsWith(toDo) && /[.?]$/.test(act), event);
        assert.deepEqual(more, [], event);
      }
    });

  it("tell of the events that docs/operations.md lists, and of no others", async () => {
    const rows = (await readFile("docs/operations.md", "utf8"))
      .split("\n## Events")[1]
      ?.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) +\|/gm);
    const listed = [...(rows ?? [])].flatMap(([, names = ""]) =>
      names.replaceAll("`", "").split(", "),
    );
    assert.deepEqual(listed.toSorted(), Object.keys(MESSAGE_IDS).toSorted());
  });

  it("say what to do about an order that core itself does not sign, as docs/operations.md does", async () => {
    const page = await readFile("docs/operations.md", "utf8");
    for (const name of ["wipe-failed", "clock-not-set"]) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
      assert.ok(row.includes(`\`${UNSIGNED}\``), name);
      for (const [file, toDo] of LANGUAGES) {
        const entry = (await entriesOf(file)).find(({ event }) => event === name);
        assert.ok(entry?.body.split(toDo)[1]?.includes(UNSIGNED), `${file}: ${name}`);
      }
    }
  });

  it("are read by systemd, where it is", async () => {
    await using root = await temporaryFolder();
    const folder = join(root.path, "usr/lib/systemd/catalog");
    await mkdir(join(root.path, "var/lib/systemd/catalog"), { recursive: true });
    await cp(CATALOGS, folder, { recursive: true });
    const ask = (...options: string[]) =>
      spawnSync("journalctl", [`--root=${root.path}`, ...options], { encoding: "utf8" });
    const update = ask("--update-catalog");
    if (update.error !== undefined) return;
    assert.deepEqual([update.status, update.stderr], [0, ""]);
    const listed = ask("--list-catalog").stdout;
    for (const id of Object.values(MESSAGE_IDS)) assert.ok(listed.includes(id), id);
  });
});
