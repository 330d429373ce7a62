import { BewaardError } from "#base/errors";
import { faultOf, type Standing } from "./draft.ts";
import { type Answers, QUESTIONS, type Question } from "./questions.ts";

/** Asks a person; undefined for an empty answer. `fault` is what was wrong with the answer before. */
export type Ask = (
  question: Question,
  usual: string | undefined,
  fault: string | undefined,
) => Promise<string | undefined>;

/**
 * An answer to each question: as given, else as a person says, else the usual one.
 * @throws BewaardError DESK_INPUT that names every question that nothing answers.
 */
export async function gather(
  standing: Standing,
  given: Answers,
  usual: (question: Question, answers: Answers) => Promise<string | undefined>,
  ask: Ask | undefined,
): Promise<Answers> {
  const answers: Record<string, string> = { ...given };
  // Whoever names a bucket need not say that it is one.
  if (given["bucket"] !== undefined) answers["vault"] ??= "s3";
  const open: string[] = [];
  for (const question of QUESTIONS) {
    const { key, when, optional } = question;
    if (answers[key] !== undefined || when?.(answers) === false) continue;
    const proposed = await usual(question, answers);
    const answer = ask ? await asked(standing, answers, question, proposed, ask) : proposed;
    if (answer !== undefined) answers[key] = answer;
    else if (!optional) open.push(key);
  }
  if (open.length === 0) return answers;
  const message = `niet gezegd / not said: ${open.join(", ")} (--answers, --${dashed(open[0] ?? "")} …)`;
  throw new BewaardError("DESK_INPUT", message);
}

/** Until the answer fits. */
async function asked(
  standing: Standing,
  before: Answers,
  question: Question,
  proposed: string | undefined,
  ask: Ask,
): Promise<string | undefined> {
  let fault: string | undefined;
  for (;;) {
    const answer = (await ask(question, proposed, fault)) ?? proposed;
    if (answer === undefined) {
      if (question.optional) return undefined;
      fault = "hier hoort iets te staan / something is needed here";
      continue;
    }
    fault = faultOf(standing, { ...before, [question.key]: answer }, question);
    if (fault === undefined) return answer;
  }
}

/** As an option is typed. */
export function dashed(key: string): string {
  return key.replaceAll("_", "-");
}
