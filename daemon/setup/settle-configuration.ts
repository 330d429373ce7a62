import { access, link, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { findMistakes } from "../../config/configuration.ts";
import { readBox } from "../../config/load.ts";
import { draft, folderBeside, type Standing, saidOf } from "./draft.ts";
import { makeOwned, type Owner, writeOwned } from "./own-files.ts";
import { type Answers, QUESTIONS } from "./questions.ts";

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Keys of the given answers that the configuration at `path` has otherwise. */
export async function differing(path: string, given: Answers): Promise<readonly string[]> {
  const { raw } = await readBox(path);
  return QUESTIONS.flatMap(({ key, path: at }) => {
    const answer = given[key];
    if (answer === undefined || at.length === 0) return [];
    const found = at.reduce<unknown>(
      (here, name) =>
        typeof here === "object" && here !== null ? Reflect.get(here, name) : undefined,
      raw,
    );
    return found === answer ? [] : [key];
  });
}

/**
 * Writes the configuration that the answers make, for root to change, and for everybody to read, or the group of `readers`
 * alone. One that is there stays, or is kept as `before` where that is said: the same file, its owner's and mode's.
 * @throws BewaardError DESK_INPUT with each answer that is wrong; nothing was written then. USAGE where this user may not.
 */
export async function writeConfiguration(
  standing: Standing,
  answers: Answers,
  readers: Owner,
  before: string | undefined,
): Promise<void> {
  const { path } = standing;
  const mode = readers ? 0o640 : 0o644;
  const text = draft(standing, answers);
  const candidate = `${path}.candidate`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await makeOwned(readers, folderBeside(path), readers ? 0o750 : 0o755);
    await writeOwned(readers, candidate, text, mode, "replace");
    const mistakes = await findMistakes(candidate);
    if (mistakes.length > 0) throw new BewaardError("DESK_INPUT", saidOf(mistakes));
    if (before !== undefined && (await isThere(path))) await link(path, before);
    await writeOwned(readers, path, text, mode, before === undefined ? "once" : "replace");
  } catch (cause) {
    const code = systemCode(cause);
    if (!["EACCES", "EPERM", "EROFS"].includes(code ?? "")) throw cause;
    const message = `${path}: alleen voor root / only for root (${code})`;
    throw new BewaardError("USAGE", message, { cause });
  } finally {
    await rm(candidate, { force: true });
  }
}
