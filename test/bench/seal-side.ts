import { availableParallelism } from "node:os";
import { join } from "node:path";
import { openSealPool } from "../../storage/seal/pool.ts";

// Our side of the bench, as a process of its own: seals the named files side by side.

const [folder = "", recipient = "", ...names] = process.argv.slice(2);
const started = performance.now();
await using pool = openSealPool(Math.min(names.length, availableParallelism()));
const { signal } = new AbortController();
await Promise.all(
  names.map((name) =>
    pool.seal(Buffer.from(join(folder, name)), join(folder, `${name}.age`), [recipient], signal),
  ),
);
process.stdout.write(`seconds ${(performance.now() - started) / 1000}\n`);
process.stdout.write(`rss ${process.resourceUsage().maxRSS * 1024}\n`);
