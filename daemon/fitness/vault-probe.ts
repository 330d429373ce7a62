import { randomUUID } from "node:crypto";
import { stat, statfs } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { textBody } from "../../storage/vault/body.ts";
import { openDirectoryVault } from "../../storage/vault/directory.ts";
import { FREELY, type Vault } from "../../storage/vault/vault.ts";

// A process of its own: a share that hangs takes whoever looks at it along, and cannot be given up on.
// Looks at the vault in the folder named on the command line; writes one JSON value.

const [root = ""] = process.argv.slice(2);
const never = new AbortController().signal;

async function probe(): Promise<object> {
  const { dev } = await stat(root);
  const { type } = await statfs(root);
  await using vault = await openDirectoryVault(root);
  const unfinished = await vault.unfinished("footage/");
  const before = systemClock.uptimeMs();
  await writes(vault);
  return { dev, type, unfinished: unfinished.length, tookMs: systemClock.uptimeMs() - before };
}

/** Writes for real, and breaks off before anything has a name: the port then leaves nothing behind. */
async function writes(vault: Vault): Promise<void> {
  const enough = new Error("enough");
  const body = textBody("bewaard check\n");
  const brokenOff = {
    ...body,
    async *open() {
      yield* body.open();
      throw enough;
    },
  };
  try {
    await vault.put(`check/${randomUUID()}`, brokenOff, FREELY, never);
  } catch (error) {
    if (error !== enough) throw error;
  }
}

try {
  process.stdout.write(JSON.stringify(await probe()));
} catch (error) {
  const code = error instanceof BewaardError ? error.code : "VAULT_UNAVAILABLE";
  const message = error instanceof Error ? error.message : "?";
  process.stdout.write(JSON.stringify({ code, message }));
}
