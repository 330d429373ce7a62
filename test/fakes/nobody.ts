import { execFileSync } from "node:child_process";

const NOBODY = 65_534;

/**
 * Lets `body` run without the powers of root, who may read everything: every thread of this process is
 * another user meanwhile, who owns `folder`. Somebody who is not root stays who he is.
 */
export async function asNobody(folder: string, body: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0 || !process.seteuid) return body();
  execFileSync("chown", ["-hR", String(NOBODY), folder]);
  process.seteuid(NOBODY);
  try {
    await body();
  } finally {
    process.seteuid(0);
  }
}
