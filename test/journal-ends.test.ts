import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { readDatagrams } from "./fakes/datagrams-read.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { journalFields } from "./fakes/journal-fields.ts";
import { until } from "./fakes/until.ts";

const PROGRAM = fileURLToPath(new URL("crash/says-and-throws.ts", import.meta.url));
const LINES = 3000;

/** Runs it until its end. Resolves to its code and what it said on standard error. */
async function ended(path: string, how: string) {
  const child = spawn(process.execPath, [PROGRAM, path, how, String(LINES)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { code: child.exitCode, said };
}

function saidOf(said: string): readonly number[] {
  return [
    ...said.matchAll(/^<6>bc-0101: footage sealed as \S+, [^{]+ (\{.*"event":"sealed".*\})$/gm),
  ].map(([, line = ""]) => Number(/"bytes":(\d+)/.exec(line)?.[1]));
}

describe("what a process said last", () => {
  for (const how of ["throws", "throws in a callback", "rejects", "rejects while some are sent"])
    it(`is in the journal when it ${how}, each line with its fields or as it stands`, async () => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "socket");
      await using reader = await readDatagrams(path);
      const { code, said } = await ended(path, how);
      assert.equal(code, 1);
      assert.match(said, /Error: a bug\n +at /);
      const onError = saidOf(said);
      const heard = (): number[] =>
        reader.read.map((one) => Number(journalFields(one).get("BEWAARD_BYTES")?.[0]));
      await until(() => new Set([...heard(), ...onError]).size === LINES);
      // The one that was on its way may be there twice.
      assert.ok(heard().length + onError.length <= LINES + 1);
    });

  it("is on standard error where the journal does not read, and nobody can wait for it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "socket");
    await using reader = await readDatagrams(path);
    reader.signal("SIGSTOP");
    const { said } = await ended(path, "rejects while some are sent");
    const onError = saidOf(said);
    assert.deepEqual(
      onError,
      onError.toSorted((a, b) => a - b),
    );
    reader.signal("SIGCONT");
    await until(() => reader.read.length + onError.length >= LINES);
    assert.equal(onError.at(-1), LINES - 1);
  });
});
