import { z } from "zod";
import { Refusal } from "./refusal.ts";

/** What somebody wants to do, as a policy sees it. */
export interface Deed {
  /** Name of the user; undefined for anybody. */
  readonly caller: string | undefined;
  readonly action: string;
  /** `arn:aws:s3:::bucket/key` */
  readonly resource: string;
  /** Condition keys in lower case with their values. */
  readonly facts: ReadonlyMap<string, string>;
}

const texts = z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat());
const values = z
  .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
  .transform((one) => [one].flat().map(String));
const principals = z.union([
  z.literal("*").transform(() => ["*"]),
  z.strictObject({ AWS: texts }).transform(({ AWS }) => AWS),
]);
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Principal: principals.optional(),
  NotPrincipal: principals.optional(),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts,
  Condition: z.record(z.string(), z.record(z.string(), values)).default({}),
});
const document = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.union([z.array(statement), statement.transform((one) => [one])]),
});

export type Policy = z.infer<typeof document>;
type Statement = z.infer<typeof statement>;

type Compare = (value: string, wanted: string) => boolean;

const OPERATORS: Readonly<Record<string, Compare>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: like,
  ArnEquals: like,
  ArnLike: like,
  Bool: (value, wanted) => value === wanted,
  NumericEquals: (value, wanted) => Number(value) === Number(wanted),
  NumericLessThan: (value, wanted) => Number(value) < Number(wanted),
  NumericLessThanEquals: (value, wanted) => Number(value) <= Number(wanted),
  NumericGreaterThan: (value, wanted) => Number(value) > Number(wanted),
  NumericGreaterThanEquals: (value, wanted) => Number(value) >= Number(wanted),
};
/** These hold where the key is missing, and where none of the values fits. */
const NEGATED: Readonly<Record<string, Compare>> = {
  StringNotEquals: (value, wanted) => value === wanted,
  StringNotLike: like,
  ArnNotEquals: like,
  ArnNotLike: like,
};

/** Reads a bucket policy. @throws Refusal MalformedPolicy for what this server cannot judge. */
export function parsePolicy(text: string): Policy {
  const malformed = new Refusal(400, "MalformedPolicy");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed;
  }
  const read = document.safeParse(json);
  if (!read.success) throw malformed;
  for (const { Condition, Principal, NotPrincipal, Action, NotAction } of read.data.Statement) {
    if ((Principal === undefined) === (NotPrincipal === undefined)) throw malformed;
    if ((Action === undefined) === (NotAction === undefined)) throw malformed;
    for (const operator of Object.keys(Condition)) {
      const name = operator.replace(/IfExists$/, "");
      if (name !== "Null" && !(name in OPERATORS) && !(name in NEGATED)) throw malformed;
    }
  }
  return read.data;
}

/** What the policy says of a deed. A statement that denies wins. */
export function judge(policy: Policy, deed: Deed): "allow" | "deny" | "silent" {
  const speaking = policy.Statement.filter((one) => isAbout(one, deed));
  if (speaking.some(({ Effect }) => Effect === "Deny")) return "deny";
  return speaking.length > 0 ? "allow" : "silent";
}

function isAbout(one: Statement, deed: Deed): boolean {
  const named = (names: readonly string[]): boolean => names.some((name) => isCaller(name, deed));
  if (one.Principal !== undefined && !named(one.Principal)) return false;
  if (one.NotPrincipal !== undefined && named(one.NotPrincipal)) return false;
  const covers = (actions: readonly string[]): boolean =>
    actions.some((action) => like(deed.action.toLowerCase(), action.toLowerCase()));
  if (one.Action !== undefined && !covers(one.Action)) return false;
  if (one.NotAction !== undefined && covers(one.NotAction)) return false;
  if (!one.Resource.some((resource) => like(deed.resource, resource))) return false;
  return Object.entries(one.Condition).every(([operator, wanted]) =>
    Object.entries(wanted).every(([key, any]) => holds(operator, deed.facts, key, any)),
  );
}

function isCaller(principal: string, { caller }: Deed): boolean {
  if (principal === "*") return true;
  return caller !== undefined && new RegExp(`^arn:aws:iam::\\d*:user/`).test(principal)
    ? principal.endsWith(`:user/${caller}`)
    : false;
}

function holds(
  operator: string,
  facts: ReadonlyMap<string, string>,
  key: string,
  wanted: readonly string[],
): boolean {
  const value = facts.get(key.toLowerCase());
  if (operator === "Null") return wanted.includes(String(value === undefined));
  const name = operator.replace(/IfExists$/, "");
  const negated = NEGATED[name];
  if (value === undefined) return negated !== undefined || name !== operator;
  if (negated !== undefined) return !wanted.some((one) => negated(value, one));
  return wanted.some((one) => OPERATORS[name]?.(value, one) === true);
}

/** `*` is anything, `?` is one character. */
function like(value: string, pattern: string): boolean {
  const exact = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const form = exact.replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${form}$`, "s").test(value);
}
