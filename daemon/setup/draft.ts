import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { readDocument } from "../../config/document.ts";
import type { Mistake } from "../../config/mistake.ts";
import { configSchema } from "../../config/schema.ts";
import { type Answers, QUESTIONS, type Question } from "./questions.ts";

/** What is in the configuration by itself, besides what is asked. */
export interface Standing {
  /** Where the configuration will be: what belongs to it lies beside it. */
  readonly path: string;
  readonly state: string;
  readonly demo: boolean;
  /** What is never asked, by its key, as it stands in a file of answers, and will in the configuration. */
  readonly unasked: Readonly<Record<string, unknown>>;
}

const HEADER = `# Made by \`bewaard setup\`. Every key: bewaard.yaml(5); \`bewaard config check\` names each mistake.
# No file like this holds a secret.
`;

/** The text of a configuration out of answers. That it is one is still to be looked at. */
export function draft(standing: Standing, answers: Answers): string {
  const { path, state, demo, unasked } = standing;
  const beside = (name: string): string => join(folderBeside(path), name);
  const written: Record<string, unknown> = {};
  for (const { key, path: at } of QUESTIONS) {
    const answer = answers[key];
    if (answer !== undefined && at.length > 0) place(written, at, answer);
  }
  if (demo) place(written, ["site", "demo"], true);
  return (
    HEADER +
    stringify({
      ...written,
      state,
      recipients: beside("recipients.txt"),
      desk_signers: beside("desk.signers"),
      ...unasked,
    })
  );
}

/** Where what belongs to a configuration lies: of a tenant's, `/etc/bewaard/<tenant>.yaml`, in a folder of its own. */
export function folderBeside(path: string): string {
  return path.endsWith("/bewaard.yaml") ? dirname(path) : path.replace(/\.yaml$/, "");
}

/** What is wrong with the answer to one question by itself, whatever is still to be asked; undefined where nothing is. */
export function faultOf(
  standing: Standing,
  answers: Answers,
  question: Question,
): string | undefined {
  const answer = answers[question.key];
  const { choices } = question;
  if (choices !== undefined && answer !== undefined && !choices.includes(answer))
    return `${choices.join(", ")}?`;
  if (question.path.length === 0) return undefined;
  const { mistakes } = readDocument("setup", draft(standing, answers), configSchema);
  return mistakes.find(({ where }) => where === question.path.join("."))?.what;
}

/** Mistakes by the question whose answer they are in. */
export function saidOf(mistakes: readonly Mistake[]): string {
  return mistakes
    .map(({ where, what }) => {
      const question = QUESTIONS.find(({ path }) => path.length > 0 && path.join(".") === where);
      return `${question?.key ?? where}: ${what}`;
    })
    .join("\n");
}

function place(
  into: Record<string, unknown>,
  [key = "", ...below]: readonly string[],
  value: unknown,
): void {
  if (below.length === 0) {
    into[key] = value;
    return;
  }
  const there = into[key];
  const deeper = isRecord(there) ? there : {};
  into[key] = deeper;
  place(deeper, below, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
