import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, it } from "mocha";
import { program as bewaarctl } from "../daemon/cli/bewaarctl.ts";
import { program as bewaard } from "../daemon/cli/bewaard.ts";
import { bashCompletion } from "../packaging/completion.ts";
import { configurationPage } from "../packaging/configuration-page.ts";
import { programPage } from "../packaging/program-page.ts";
import { plain } from "../packaging/roff.ts";

const CONFIGURATION = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

/** Those that do something, with all that is typed before their own name. */
function commandsOf(command: Command, above: string): readonly (readonly [string, Command])[] {
  const name = `${above}${command.name()}`;
  if (command.commands.length === 0) return [[name, command]];
  return command.commands.flatMap((one) => commandsOf(one, `${name} `));
}

function macros(page: string): readonly string[] {
  return page.split("\n").filter((line) => /^[.']/.test(line));
}

/** What bash offers for the last of these words. */
function offered(program: Command, ...words: string[]): readonly string[] {
  const typed = [program.name(), ...words];
  const script = `${bashCompletion(program)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${program.name()}
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["-euc", script, "bash", ...typed], { encoding: "utf8" });
  return out.split("\n").filter((word) => word !== "");
}

describe("a manual page", () => {
  it("tells each command of a program, and each of its options", () => {
    for (const program of [bewaard, bewaarctl]) {
      const page = programPage(program, 8, "2026-11-22", "1.2.3");
      const commands = commandsOf(program, "");
      assert.ok(commands.length > 5);
      for (const [name, command] of commands) {
        const from = page.indexOf(`\n.SS ${plain(name)}`);
        assert.ok(from >= 0, name);
        const [told = ""] = page.slice(from + 1).split(/\n(?=\.S[SH] )/);
        for (const { flags } of command.options)
          assert.ok(told.includes(plain(flags)), `${name} ${flags}`);
      }
    }
  });

  it("tells each key of the configuration", () => {
    const page = configurationPage(CONFIGURATION, "2026-11-22", "1.2.3");
    const keys = [...CONFIGURATION.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key ?? "");
    assert.ok(keys.length > 100);
    for (const key of keys) assert.ok(page.includes(`\\fB${plain(key)}\\fP`), key);
  });

  it("has no text that would be taken for a command of roff", () => {
    const pages = [
      programPage(bewaard, 8, "2026-11-22", "1.2.3"),
      programPage(bewaarctl, 1, "2026-11-22", "1.2.3"),
      configurationPage(`${CONFIGURATION}\n\n.so /etc/passwd\n`, "2026-11-22", "1.2.3"),
    ];
    for (const line of pages.flatMap(macros))
      assert.match(line, /^\.(?:TH|SH|SS|TP|PP|IP|RS 4|RE|nf|fi|br)(?: |$)/);
  });
});

describe("completion in bash", () => {
  it("offers the commands at each depth, what one is to be chosen of, and options", () => {
    assert.deepEqual(offered(bewaard, "config", "s"), ["show", "schema"]);
    assert.deepEqual(offered(bewaard, "--json", "run", "d"), ["dock"]);
    assert.deepEqual(offered(bewaard, "verify", "--d"), ["--depth"]);
    assert.ok(offered(bewaarctl, "").includes("status"));
    assert.ok(offered(bewaarctl, "desk", "hold", "--").length > 3);
  });

  it("takes a word for a command only where there is one of that name", () => {
    assert.deepEqual(offered(bewaard, "setup", "config", "s"), []);
  });
});
