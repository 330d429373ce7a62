import { z } from "zod";
import { BewaardError } from "#base/errors";
import { DAY_MS } from "#base/time";
import { type Annex, annexSchema } from "./annex-schema.ts";
import { cameraMistakes } from "./camera-rules.ts";
import type { Read } from "./document.ts";
import { notShipped, readBox, readYaml, shipped } from "./load.ts";
import { accepted, type Mistake } from "./mistake.ts";
import { narrow } from "./narrow.ts";
import { type Policy, policySchema } from "./policy-schema.ts";
import { type Profile, profileSchema } from "./profile-schema.ts";
import type { Config } from "./schema.ts";

/** What the site decided, out of the files that the box's own file names. */
export interface Rules {
  /** As the annex leaves it. */
  readonly policy: Policy;
  readonly annex: Annex | undefined;
  /** By the name that the box's file has for it. */
  readonly profiles: Readonly<Record<string, Profile>>;
}

/** The names of those files. */
export interface Named {
  readonly policy: string;
  readonly annex: string | undefined;
  readonly profiles: readonly string[];
}

/**
 * Reads the configuration of a box and every file it names.
 * @throws BewaardError CONFIG_MISSING for the file itself, else CONFIG_INVALID or POLICY_WIDENED with every
 * mistake in any of them.
 */
export async function readConfiguration(
  path: string,
): Promise<{ readonly config: Config; readonly rules: Rules }> {
  const { config, rules, mistakes } = await lookAt(path);
  return {
    config: accepted({ value: config, mistakes }),
    rules: accepted({ value: rules, mistakes }),
  };
}

/** Every mistake in the configuration of a box and the files it names. */
export async function findMistakes(path: string): Promise<readonly Mistake[]> {
  return (await lookAt(path)).mistakes;
}

/**
 * Reads what an accepted configuration names.
 * @throws BewaardError as `readConfiguration`.
 */
export async function readRules(named: Named): Promise<Rules> {
  const { rules, mistakes } = await gather(named, ([key], what, code) => ({
    code: code ?? "CONFIG_INVALID",
    file: "configuration",
    line: 1,
    column: 1,
    where: String(key),
    what,
  }));
  return accepted({ value: rules, mistakes });
}

type Say = Read<unknown>["mistake"];

async function lookAt(path: string) {
  const box = await readBox(path);
  const named = written.parse(box.raw);
  const { policy, rules, mistakes } = await gather(named, (key, what, code) =>
    box.mistake(key[0] === "profiles" ? ["bodycams", Number(key[1]), "profile"] : key, what, code),
  );
  const forbidden = policy ? cameraMistakes(box, policy) : [];
  const all = inOrder([...box.mistakes, ...mistakes, ...forbidden]);
  return { config: box.value, rules, mistakes: all };
}

/** File by file, from top to bottom. */
function inOrder(mistakes: readonly Mistake[]): readonly Mistake[] {
  const files = [...new Set(mistakes.map(({ file }) => file))];
  return mistakes.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

/** The names in a box's file, whatever else is wrong in it. What is no text there is a mistake already. */
const text = z.string().optional().catch(undefined);
const written = z
  .looseObject({
    policy: z.string().default("den-haag").catch(""),
    annex: text,
    bodycams: z.array(z.looseObject({ profile: text }).catch({})).catch([]),
  })
  .catch({ policy: "", bodycams: [] })
  .transform(({ policy, annex, bodycams }) => ({
    policy,
    annex,
    profiles: bodycams.map(({ profile }) => profile ?? ""),
  }));

async function gather(
  named: Named,
  say: Say,
): Promise<{
  /** As the annex leaves it, whatever is wrong elsewhere. */
  readonly policy: Policy | undefined;
  readonly rules: Rules | undefined;
  readonly mistakes: readonly Mistake[];
}> {
  const mistakes: Mistake[] = [];
  const read = async <Schema extends z.ZodType>(
    key: readonly PropertyKey[],
    folder: "policies" | "profiles",
    name: string,
    schema: Schema,
  ) => {
    const found = await readNamed(folder, name, schema, (what, code) => say(key, what, code));
    mistakes.push(...found.mistakes);
    return found.read;
  };
  const policy = await read(["policy"], "policies", named.policy, policySchema);
  const annex = named.annex?.startsWith("/")
    ? await read(["annex"], "policies", named.annex, annexSchema)
    : undefined;
  const profiles: Record<string, Profile> = {};
  for (const [index, name] of named.profiles.entries()) {
    if (named.profiles.indexOf(name) < index) continue;
    const profile = await read(["profiles", index], "profiles", name, profileSchema);
    if (profile?.value) profiles[name] = profile.value;
  }
  const effective = policy?.value && lay(policy.value, annex, named.policy, say);
  mistakes.push(...(effective?.mistakes ?? []));
  const holds = effective?.policy;
  if (holds) mistakes.push(...loopsTooLong(named, profiles, holds, say));
  const rules = holds && { policy: holds, annex: annex?.value, profiles };
  return { policy: holds, rules: mistakes.length > 0 ? undefined : rules, mistakes };
}

/** A card that is never wiped has nothing older than the term: its camera sees to it (DH-06). */
function loopsTooLong(
  named: Named,
  profiles: Rules["profiles"],
  { retention }: Policy,
  say: Say,
): readonly Mistake[] {
  const what = "its profile says wipe_after: never, and keeps footage for longer than the term";
  return named.profiles.flatMap((name, index) => {
    const profile = profiles[name];
    const tooLong = profile?.wipe_after === "never" && (profile.loops_within ?? 0) > retention;
    return tooLong ? [say(["profiles", index], what)] : [];
  });
}

/** Lays the annex, if there is one, over the policy. */
function lay(
  policy: Policy,
  annex: Read<Annex> | undefined,
  policyName: string,
  say: Say,
): { readonly policy?: Policy; readonly mistakes: readonly Mistake[] } {
  if (!annex?.value) return { policy, mistakes: [] };
  if (annex.value.own_regime && !policyName.startsWith("/")) {
    const what = "a tenant with a regime of its own (annex) names its own policy, by its path";
    return { mistakes: [say(["policy"], what)] };
  }
  const { policy: narrowed, widenings } = narrow(policy, annex.value);
  if (widenings) {
    const mistakes = widenings.map(({ path, what }) => annex.mistake(path, what, "POLICY_WIDENED"));
    return { mistakes };
  }
  if (narrowed.longest_undocked > narrowed.retention - DAY_MS) {
    const what = "at least a day longer than longest_undocked of the policy";
    return { mistakes: [annex.mistake(["retention"], what)] };
  }
  return { policy: narrowed, mistakes: [] };
}

/** Reads a named file. That it is not there, or no text, is a mistake at the key that names it. */
async function readNamed<Schema extends z.ZodType>(
  folder: "policies" | "profiles",
  name: string,
  schema: Schema,
  say: (what: string, code?: Mistake["code"]) => Mistake,
): Promise<{
  readonly read: Read<z.output<Schema>> | undefined;
  readonly mistakes: readonly Mistake[];
}> {
  // No name, or one with a mistake of its own.
  if (!/^(?:\/\P{Cc}*|[a-z0-9-]+)$/u.test(name)) return { read: undefined, mistakes: [] };
  try {
    const read = await readYaml(shipped(folder, name), schema);
    return { read, mistakes: read.mistakes };
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    const what = name.startsWith("/") ? error.message : await notShipped(folder, name);
    return { read: undefined, mistakes: [say(what, "CONFIG_MISSING")] };
  }
}
