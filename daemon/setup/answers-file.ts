import { z } from "zod";
import { readYaml } from "../../config/load.ts";
import { accepted } from "../../config/mistake.ts";
import { QUESTIONS } from "./questions.ts";

const text = z.string("write it as text: between quotes where it is a number");
const path = z.string().regex(/^\//, "write an absolute path: the file, never the secret itself");

/** A file of answers: each question by its key, and what is never asked. Holds no secret, only paths of files with one. */
const answersSchema = z.strictObject({
  ...Object.fromEntries(QUESTIONS.map(({ key }) => [key, text.optional()])),
  state: text.optional(),
  discover: text.optional(),
  discover_at: text.optional(),
  demo: z.boolean().optional(),
  // As they will stand in the configuration, which says what is wrong with them.
  bodycams: z.unknown().optional(),
  cameras: z.unknown().optional(),
  secured: z.unknown().optional(),
  recipients: path.optional(),
  signers: path.optional(),
  secrets: z.record(z.string(), path).optional(),
});

export type AnswersFile = z.output<typeof answersSchema>;

/** @throws BewaardError CONFIG_MISSING, CONFIG_INVALID with each mistake: line, where, what to write. */
export async function readAnswers(file: string): Promise<AnswersFile> {
  return accepted(await readYaml(file, answersSchema));
}
