import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../daemon/cli/bewaard.ts", import.meta.url));

/** `bewaard setup` at a terminal of its own, as somebody sees it who waits for each question before answering; `node` are options of Node's. */
export function atTerminal(node: readonly string[], yaml: string, more: readonly string[]) {
  const command = [process.execPath, ...node, CLI, "-c", yaml, "setup", ...more];
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-q", "-e", "-c", quoted, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "dumb" },
  });
  let [seen, read] = ["", 0];
  child.stdout.setEncoding("utf8");
  const screen: AsyncIterator<unknown, unknown> = child.stdout[Symbol.asyncIterator]();
  /** Resolves once `question` has come, after what was seen before. */
  async function asked(question: string): Promise<void> {
    while (!seen.includes(question, read)) {
      const { done, value } = await screen.next();
      if (done === true) throw new Error(`never asked: ${question}\n${seen}`);
      seen += String(value);
    }
    read = seen.indexOf(question, read) + question.length;
  }

  return {
    asked,
    /** Types `line` once `question` was asked. */
    async answer(question: string, line: string): Promise<void> {
      await asked(question);
      child.stdin.write(`${line}\r`);
    },
    /** Types what is no answer. */
    type: (keys: string): void => void child.stdin.write(keys),
    /** What was on the screen until it ended, and the exit code. */
    async ended() {
      const closed = once(child, "close");
      for (;;) {
        const { done, value } = await screen.next();
        if (done === true) break;
        seen += String(value);
      }
      return { seen, code: Number((await closed)[0]) };
    },
    /** Where a test failed before it ended. */
    [Symbol.dispose]: () => void child.kill(),
  };
}
