import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "mocha";
import { type ChangingTask, changingTasks } from "../daemon/record/changing-tasks.ts";
import { NEVER } from "./fakes/rig.ts";

/** Tasks that say what becomes of them, each until it is stopped. */
function saying(said: string[]) {
  return (name: string, by: unknown): ChangingTask => ({
    name,
    by,
    async run(signal) {
      said.push(`${name} begins by ${JSON.stringify(by)}`);
      if (!signal.aborted) await once(signal, "abort");
      await Promise.resolve();
      said.push(`${name} ends`);
    },
    left: (why) => void said.push(`${name} is ${why}`),
  });
}

/** Yields each of these, and is stopped after the last. */
async function through(said: string[], ...wanted: (readonly ChangingTask[])[]): Promise<void> {
  const stop = new AbortController();
  async function* all() {
    for (const one of wanted) {
      said.push("--");
      yield one;
    }
    stop.abort();
  }
  await changingTasks(all, stop.signal);
}

describe("tasks that change while they run", () => {
  it("go on untouched where they are the same; what is changed or gone has ended before anything begins", async () => {
    const said: string[] = [];
    const task = saying(said);
    await through(
      said,
      [task("one", { at: 1 }), task("two", 2), task("three", 3)],
      [task("one", { at: 1 }), task("two", 22), task("four", 4)],
      [task("one", { at: 1 }), task("two", 22), task("four", 4)],
    );
    const turns = said.join(", ").split("--, ").slice(1);
    assert.equal(turns[0], 'one begins by {"at":1}, two begins by 2, three begins by 3, ');
    assert.match(
      turns[1] ?? "",
      /^two ends, three ends, (?:(?:two is changed|three is gone), ){2}/,
    );
    assert.match(turns[1] ?? "", /two begins by 22, four begins by 4, $/);
    assert.match(turns[2] ?? "", /^one ends, two ends, four ends$/);
  });

  it("end all when one fails, and throw that once each has stopped", async () => {
    const said: string[] = [];
    const task = saying(said);
    const fails = { ...task("fails", 0), run: () => Promise.reject(new Error("no camera")) };
    async function* all(signal: AbortSignal) {
      yield [task("one", 1), fails];
      if (!signal.aborted) await once(signal, "abort");
    }
    await assert.rejects(changingTasks(all, NEVER), /no camera/);
    assert.deepEqual(said, ["one begins by 1", "one ends"]);
  });
});
