import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "#base/errors";
import type { Answers, Question } from "./questions.ts";

const GB = 1_000_000_000;
/** Of what a disk has free, when a new box is made. */
const SHARE = 0.9;

/** What is proposed for a question, and taken where nobody is asked. A tenant's folders are its own. */
export function usualAnswer(
  tenant: string | undefined,
): (question: Question, answers: Answers) => Promise<string | undefined> {
  return async ({ key, usual }, answers) => {
    if (key === "limit") return usualLimit(answers);
    return tenant === undefined ? usual : usual?.replace("/bewaard/", `/bewaard-${tenant}/`);
  };
}

async function usualLimit(answers: Answers): Promise<string | undefined> {
  const free = await freeBytes(answers["spool"] ?? "/");
  const gigabytes = Math.floor((free * SHARE - 20 * GB) / GB);
  return gigabytes >= 1 ? `${gigabytes} GB` : undefined;
}

/** On the disk that a folder is on, or will be. */
async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || path === dirname(path)) throw error;
    return freeBytes(dirname(path));
  }
}
