import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { systemCode } from "#base/errors";
import { atTerminal } from "./fakes/at-terminal.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { until } from "./fakes/until.ts";

const started = z.object({ pid: z.int(), session: z.string(), terminal: z.string() });

/** Has each process of ours that Node starts with it write which session it is in; what setup starts waits for ever. */
function spying(path: string): string {
  const code = `import { appendFileSync, readFileSync } from "node:fs";
    const [, , , session, terminal] = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ");
    appendFileSync(${JSON.stringify(path)}, JSON.stringify({ pid: process.pid, session, terminal }) + "\\n");
    if (process.argv.includes("--config")) await new Promise(() => setInterval(() => {}, 1000));`;
  return `--import=data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
}

/** Each process that was started, the first of which is setup's own. */
async function startedIn(path: string) {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  return lines.map((line) => started.parse(JSON.parse(line)));
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
    throw error;
  }
}

describe("what setup runs as the box's user", () => {
  it("has no terminal, which is root's and takes what is written to it as typed, and ends with ctrl-c", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    await writeFile(
      at("answers.yaml"),
      `site: den-haag-handhaving
node: dock-1
policy: den-haag
informed_on: 2026-10-01
limit: 2 GB
keep_free: 10 MB
directory: ${at("vault")}
state: ${at("state")}
demo: true
spool: ${at("spool")}
`,
    );
    const answers = ["--answers", at("answers.yaml")];
    using terminal = atTerminal([spying(at("started"))], at("bewaard.yaml"), answers);
    await until(async () => (await startedIn(at("started")).catch(() => [])).length === 2);
    const [setup, child] = await startedIn(at("started"));
    assert.ok(setup && child);
    assert.notEqual(setup.terminal, "0");
    assert.deepEqual([child.terminal, child.session], ["0", String(child.pid)]);
    terminal.type("\u0003");
    assert.equal((await terminal.ended()).code, 130);
    await until(async () => !lives(child.pid));
  });
});
