import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { BewaardError } from "#base/errors";
import { printableText } from "#base/printable";
import type { Person } from "./given.ts";

/** A terminal to ask somebody at. Nothing of what is typed as a secret is shown or remembered. */
export function openTerminal(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Person & Disposable {
  let hidden = false;
  const shown = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (!hidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: true, historySize: 0 });
  // In raw mode ctrl-c is a key like any other.
  lines.once("SIGINT", () => void process.kill(process.pid, "SIGINT"));
  const ended = once(lines, "close", { signal }).then(
    () => {
      throw new BewaardError("USAGE", "einde van de invoer / end of input");
    },
    () => signal.throwIfAborted(),
  );
  // Told to whoever asks next; nobody may.
  ended.catch(() => undefined);

  async function typed(prompt: string, unseen: boolean): Promise<string | undefined> {
    output.write(printableText(prompt));
    hidden = unseen;
    try {
      const line = await Promise.race([lines.question("", { signal }), ended]);
      return line?.trim() || undefined;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      hidden = false;
      if (unseen) output.write("\n");
    }
  }

  return {
    ask({ nl, en }, usual, fault) {
      const before = fault === undefined ? "" : `  ✘ past niet / does not fit: ${fault}\n`;
      const proposed = usual === undefined ? "" : ` [${usual}]`;
      return typed(`${before}${nl}\n  ${en}${proposed}: `, false);
    },
    askSecret: (nl, en) =>
      typed(`${nl} (onzichtbaar)\n  ${en} (unseen); leeg / empty: later: `, true),
    askPath: (nl, en) => typed(`${nl}\n  ${en}: `, false),
    [Symbol.dispose]() {
      lines.close();
    },
  };
}
