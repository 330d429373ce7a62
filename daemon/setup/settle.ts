import { gather } from "./gather.ts";
import type { Given, Person } from "./given.ts";
import { goneFrom, nameBefore, writtenIn } from "./replaced.ts";
import { differing, isThere, writeConfiguration } from "./settle-configuration.ts";
import { usualAnswer } from "./usual.ts";

export interface Replaced {
  /** Where the configuration is that was there. */
  readonly before: string;
  /** Keys that it had, and which nobody was asked for: they are to be put back by hand. */
  readonly gone: readonly string[];
}

interface Settled {
  readonly differs: readonly string[];
  readonly keys: string | undefined;
  readonly replaced: Replaced | null;
}

/**
 * Leaves the configuration at `path`, or writes the one that the answers make, and says which.
 * @throws BewaardError as `gather` and `writeConfiguration` do.
 */
export async function settleConfiguration(
  path: string,
  { answers, standing, tenant, replaceAt }: Given,
  person: Person | undefined,
  say: (line: string) => void,
): Promise<Settled> {
  const there = await isThere(path);
  if (replaceAt === undefined && there) {
    const differs = await differing(path, answers);
    const but =
      differs.length === 0
        ? ""
        : ` (anders gezegd / said otherwise: ${differs.join(", ")}; --replace)`;
    say(`configuratie blijft / configuration stays: ${path}${but}`);
    return { differs, keys: answers["keys"], replaced: null };
  }
  const whole = { ...standing, path };
  const usual = usualAnswer(tenant?.name);
  const all = await gather(whole, answers, usual, person?.ask);
  const readers = tenant && { uid: 0, gid: tenant.readers };
  const before = replaceAt && nameBefore(path, replaceAt);
  const written = await writtenIn(path);
  await writeConfiguration(whole, all, readers, before);
  say(`configuratie geschreven / configuration written: ${path}`);
  if (before === undefined || !there) return { differs: [], keys: all["keys"], replaced: null };
  const gone = goneFrom(written, await writtenIn(path));
  say(`die er was / the one before: ${before}`);
  if (gone.length > 0) say(`daarin, en niet meer / in that one, and no more: ${gone.join(", ")}`);
  return { differs: [], keys: all["keys"], replaced: { before, gone } };
}
