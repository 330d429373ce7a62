import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { describe, it } from "mocha";
import { ERROR_CODES } from "#base/errors";
import { program as bewaarctl } from "../daemon/cli/bewaarctl.ts";
import { program as bewaard } from "../daemon/cli/bewaard.ts";
import { ERROR_SAYS } from "../daemon/cli/error-says.ts";

/** Every command of a program, itself first. */
function commands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commands)];
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Two texts with a stroke between, neither of them empty. */
function inTwo(text: string): boolean {
  return /\S \/ \S/.test(text);
}

describe("what people in an office read is in Dutch and in English", () => {
  for (const program of [bewaarctl, bewaard]) {
    for (const command of commands(program)) {
      it(`at \`${pathOf(command)}\`, its options and arguments`, () => {
        assert.ok(inTwo(command.description()), command.description());
        for (const { flags, description } of command.options)
          assert.ok(inTwo(description), `${flags}: ${description}`);
        for (const one of command.registeredArguments)
          assert.ok(inTwo(one.description), `${one.name()}: ${one.description}`);
      });

      it(`in the help of \`${pathOf(command)}\`, with nothing of commander's own`, () => {
        const help = command.helpInformation();
        assert.match(help, /^Gebruik \/ usage: /);
        assert.doesNotMatch(
          help,
          /^(?:Usage|Options|Arguments|Commands):|display help|\(default:|\(choices:/m,
        );
        assert.match(help, /toon deze hulp \/ show this help/);
      });
    }
  }

  it("in the first line of every failure", () => {
    for (const code of ERROR_CODES) assert.ok(inTwo(ERROR_SAYS[code]), code);
  });

  it("and documented: each command is in the page about operations", async () => {
    const text = await readFile(new URL("../docs/operations.md", import.meta.url), "utf8");
    for (const command of [...commands(bewaarctl), ...commands(bewaard)]) {
      if (command.commands.length > 0) continue;
      assert.ok(text.includes(command.name()), pathOf(command));
    }
  });
});
