import { lchownSync, readdirSync } from "node:fs";

const NOBODY = 65_534;

/**
 * Lets `body` run without the powers of root, who may read everything: every thread of this process is
 * another user meanwhile, who owns `folder`. Somebody who is not root stays who he is. For a body that needs
 * nothing of this checkout, which another user may not reach; others: without-powers.ts.
 */
export async function asNobody(folder: string, body: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0 || !process.seteuid) return body();
  giveAway(Buffer.from(folder));
  process.seteuid(NOBODY);
  try {
    await body();
  } finally {
    process.seteuid(0);
  }
}

/** Names are bytes here: what a test puts on a card need not be text. */
function giveAway(folder: Buffer): void {
  lchownSync(folder, NOBODY, -1);
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([folder, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) giveAway(path);
    else lchownSync(path, NOBODY, -1);
  }
}
