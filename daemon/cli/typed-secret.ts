import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/**
 * One line of standard input: what somebody types after `question`, unseen, or what a pipe has. Never an argument:
 * those are there for all of the machine to see (invariant 7).
 */
export async function typedSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write(question);
  // It writes what is typed to a terminal that shows nothing.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = stdin.isTTY;
  const lines = createInterface({ input: stdin, output: unseen, terminal });
  try {
    for await (const line of lines) return line.trim();
    return "";
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write("\n");
  }
}
