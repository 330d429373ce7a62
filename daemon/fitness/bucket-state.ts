import { z } from "zod";
import type { Answers } from "./bucket-answers.ts";
import { unsaid } from "./bucket-place.ts";
import { type BucketRow, honoured, notLocked, remark, say, unfit } from "./bucket-row.ts";

type Level = "plain" | "locked";

/** What is set on the bucket itself: versions, locks, who may look. */
export function stateRows(level: Level, answers: Answers): readonly BucketRow[] {
  return [
    versioning(answers.versioning),
    mfaDelete(answers.mfaDelete),
    objectLock(level, answers.lock),
    defaultRetention(level, answers.lock),
    policyStatus(answers),
    publicAccess(answers),
    encryption(answers.encryption),
  ];
}

function versioning(told: Answers["versioning"]): BucketRow {
  const means = say(
    "wie schrijft kan beelden overschrijven; wat vastligt hangt aan een versie",
    "whoever writes can overwrite footage; holds and locks are of a version",
  );
  if (told === "not told" || told === "denied") return unsaid("versioning", told, means);
  if (told === "Enabled") return honoured("versioning", "aan", "on");
  return unfit("versioning", {
    saw: told === "Suspended" ? say("onderbroken", "suspended") : say("uit", "off"),
    means,
    todo: say("zet versies aan op de emmer", "turn versioning on"),
  });
}

function mfaDelete(told: Answers["mfaDelete"]): BucketRow {
  // Whoever does not know it does not have it; that it may not be asked is told of versioning.
  if (told !== true) return honoured("mfa delete", "niet aan", "not on");
  return unfit("mfa delete", {
    saw: say("MFA Delete staat aan", "MFA Delete is on"),
    means: say(
      "niets kan zonder de code van de eigenaar vernietigd worden, en geen regel werkt: dag 28 wordt niet gehaald",
      "nothing is destroyed without the owner's code, and no lifecycle rule works: day 28 is missed",
    ),
    todo: say("zet MFA Delete uit", "turn MFA Delete off"),
  });
}

/** Whether the bucket can refuse to destroy, as its level says. */
export function objectLock(level: Level, told: Answers["lock"]): BucketRow {
  const enabled = typeof told !== "string" && told.enabled;
  if (level === "plain") {
    if (!enabled) return honoured("object lock", "niet aan: plain", "off, as plain expects");
    return remark("object lock", {
      saw: say("Object Lock staat aan", "Object Lock is on"),
      means: say(
        "deze emmer kan meer dan plain belooft: zij kan zelf weigeren te vernietigen",
        "this bucket can do more than plain says: it could refuse by itself",
      ),
      todo: say("overweeg level: locked", "consider level: locked"),
    });
  }
  if (enabled) return honoured("object lock", "aan", "on");
  return notLocked("object lock", {
    saw: say(
      told === "denied" ? "dit mag de kast niet vragen" : "Object Lock staat niet aan",
      told === "denied" ? "the box may not ask" : "Object Lock is not on",
    ),
    means: say(
      "wie een sleutel steelt kan alles wissen, ook wat veiliggesteld is",
      "whoever steals a key can delete everything, held footage too",
    ),
    todo: say(
      "maak een nieuwe emmer met Object Lock (het gaat vaak alleen bij het maken), of schrijf level: plain",
      "make a new bucket with Object Lock (often only possible then), or write level: plain",
    ),
  });
}

/** Longer than this and a default lock outlives what lies outside footage/, or the term itself. */
const HARMLESS_DAYS = 1;

function defaultRetention(level: Level, told: Answers["lock"]): BucketRow {
  const what = "default retention";
  if (typeof told === "string" || told.mode === undefined) return honoured(what, "geen", "none");
  const { mode } = told;
  const days = (told.days ?? 0) + (told.years ?? 0) * 365;
  const saw = say(`${mode}, ${days} d op alles`, `${mode}, ${days} d on everything`);
  const todo = say("haal de standaard weg van de emmer", "remove the bucket's default");
  if (mode === "COMPLIANCE") {
    const means = say(
      "niemand kan nog iets vernietigen voor die tijd om is, ook niet op last van de AP",
      "nobody can destroy anything before it ends, also not by order of the authority",
    );
    return unfit(what, { saw, means, todo });
  }
  if (level === "locked" && days <= HARMLESS_DAYS) {
    const means = say(
      "kort, en bewaard geeft elk beeld zijn eigen slot",
      "short; footage has its own",
    );
    return remark(what, { saw, means, todo });
  }
  const means = say(
    "ook wat geen slot hoort te hebben blijft zo lang liggen: back-up, en beelden die eerder weg moeten",
    "what should have no lock stays that long too: backups, and footage that must go earlier",
  );
  return unfit(what, { saw, means, todo });
}

const OPEN = say(
  "iedereen kan zien wat er ligt en wanneer er iets gebeurde, al is het verzegeld",
  "anybody can see what lies there and when something happened, sealed though it is",
);
const CLOSE = say("sluit de emmer voor het publiek", "block all public access to the bucket");

/** Ceph calls public whatever grants something to anybody: then the policy itself is read. */
function policyStatus({ policyStatus: told, policy }: Answers): BucketRow {
  const what = "public policy";
  if (typeof told === "string") return unsaid(what, told, OPEN);
  if (!told.isPublic) return honoured(what, "niet openbaar", "not public");
  if (typeof policy !== "string" && policy.json !== undefined && !grantsAnybody(policy.json)) {
    const en = "called public, and grants nothing but to users by name";
    return honoured(what, "heet openbaar, en geeft alleen gebruikers bij naam iets", en);
  }
  return unfit(what, {
    saw: say("het beleid van de emmer maakt haar openbaar", "its policy makes it public"),
    means: OPEN,
    todo: CLOSE,
  });
}

const anybody = z.union([
  z.literal("*"),
  z.object({
    AWS: z.union([z.literal("*"), z.array(z.string()).refine((all) => all.includes("*"))]),
  }),
]);
const statement = z.object({ Effect: z.literal("Allow"), Principal: anybody });

/** Also when it cannot be read, or grants to all but somebody. */
function grantsAnybody(json: string): boolean {
  const policy = z.object({ Statement: z.array(z.looseObject({})) }).safeParse(parsed(json));
  if (!policy.success) return true;
  return policy.data.Statement.some(
    (one) =>
      statement.safeParse(one).success || ("NotPrincipal" in one && one["Effect"] === "Allow"),
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function publicAccess(answers: Answers): BucketRow {
  const what = "public access";
  const told = answers.publicAccess;
  if (typeof told !== "string" && told.blocked) return honoured(what, "geblokkeerd", "blocked");
  const saw =
    typeof told === "string"
      ? say("niet te zien", "cannot be seen")
      : say("niet helemaal geblokkeerd", "not all of it is blocked");
  if (policyStatus(answers).verdict !== "fit")
    return unfit(what, { saw, means: OPEN, todo: CLOSE });
  const means = say("nu niet openbaar, maar één regel maakt het zo", "one rule would make it so");
  return remark(what, { saw, means, todo: CLOSE });
}

/** Tells, and asks nothing: footage is sealed before it gets there. */
function encryption(told: Answers["encryption"]): BucketRow {
  const what = "encryption";
  const sealed = ["de beelden zijn al verzegeld", "footage is sealed already"];
  const algorithm = typeof told === "string" ? undefined : told.algorithm;
  if (algorithm === undefined)
    return honoured(what, `geen van de aanbieder; ${sealed[0]}`, `none of its own; ${sealed[1]}`);
  if (!algorithm.startsWith("aws:kms"))
    return honoured(what, `${algorithm}; ${sealed[0]}`, `${algorithm}; ${sealed[1]}`);
  return remark(what, {
    saw: say(`met een sleutel van elders (${algorithm})`, `with a key kept elsewhere`),
    means: say(
      "gaat die sleutel verloren, dan zijn ook veiliggestelde beelden weg",
      "when that key is lost, held footage is lost too",
    ),
    todo: say("neem de gewone versleuteling van de emmer (SSE-S3)", "take the plain kind (SSE-S3)"),
  });
}
