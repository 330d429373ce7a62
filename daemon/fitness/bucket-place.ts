import { isEndpointOf, isOfKnownProvider, OWN, regionOf, tellsOf } from "../../config/eea.ts";
import type { Bucket } from "../../storage/vault/bucket.ts";
import type { Answers } from "./bucket-answers.ts";
import { type BucketRow, honoured, remark, say, unfit } from "./bucket-row.ts";

/** A plain bucket. Access points, aliases, directory and table buckets reach elsewhere, or know no versions. */
const PLAIN_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const OTHER_KIND = /(?:\.mrap|-s3alias|--ol-s3|--x-s3|--table-s3)$/;

const ELSEWHERE = {
  means: say(
    "er is geen zekerheid dat de beelden binnen de EER blijven (DH-11): bewaard verstuurt niets",
    "nothing shows that footage stays within the EEA (DH-11): bewaard sends nothing",
  ),
  todo: say(
    "neem een emmer in de EER bij region, of verbeter region en endpoint",
    "take a bucket inside the EEA in `region`, or correct region and endpoint",
  ),
};

/** Where the bucket lies, by its own account, and whether it copies itself to another (DH-11). */
export function placeRows(bucket: Bucket, answers: Answers): readonly BucketRow[] {
  return [
    kind(bucket),
    endpoint(bucket),
    answer("region", bucket, answers.region),
    answer("location", bucket, answers.location),
    replication(bucket, answers.replication),
  ];
}

function kind({ name }: Bucket): BucketRow {
  if (PLAIN_NAME.test(name) && !OTHER_KIND.test(name))
    return honoured("bucket kind", `${name} is een gewone emmer`, `${name} is a plain bucket`);
  return unfit("bucket kind", {
    saw: say(`${name} is geen gewone emmer`, `${name} is no plain bucket`),
    means: say(
      "een alias of toegangspunt kan naar elders wijzen; een andere soort kent geen versies",
      "an alias or access point can point elsewhere; another kind knows no versions",
    ),
    todo: say("noem de emmer zelf", "name the bucket itself"),
  });
}

function endpoint({ provider, region, endpoint: url }: Bucket): BucketRow {
  const { host, hostname } = new URL(url);
  const known = regionOf(provider, region);
  if (known !== undefined && isEndpointOf(known, url))
    return honoured("endpoint", `${host} van ${provider}`, `${host} of ${provider}`);
  if (provider === OWN && !isOfKnownProvider(hostname)) {
    return honoured(
      "endpoint",
      `${host}: eigen opslag; waar die staat is door de beheerder verklaard`,
      `${host}: own storage; where it stands was declared`,
    );
  }
  return unfit("endpoint", {
    saw: say(`${host} is geen adres van ${provider} ${region}`, `${host} is none of its addresses`),
    ...ELSEWHERE,
  });
}

function answer(
  what: "region" | "location",
  { provider, region, reports }: Bucket,
  answered: Answers["region" | "location"],
): BucketRow {
  const expected = tellsOf(provider)[what === "region" ? "header" : "location"];
  const told = typeof answered === "string" ? answered : (answered.region ?? "");
  if (told === "not told" || told === "") {
    if (expected === "required")
      return unfit(what, { saw: say("de emmer zegt het niet", "it does not say"), ...ELSEWHERE });
    if (reports.length === 0)
      return honoured(what, "zegt het niet: eigen opslag", "does not say: own storage");
    return remark(what, {
      saw: say("de emmer zegt het niet", "the bucket does not say"),
      means: say("één antwoord minder op de vraag waar hij ligt", "one answer less"),
      todo: say("vraag de aanbieder", "ask the provider"),
    });
  }
  if (told === "denied") {
    return unfit(what, {
      saw: say("dit mag de kast niet vragen", "the box may not ask"),
      means: ELSEWHERE.means,
      todo: say(
        "geef de kast het recht: bewaard vault policy",
        "give the box the right: bewaard vault policy",
      ),
    });
  }
  if (reports.length === 0 || reports.includes(told)) return honoured(what, told, told);
  return unfit(what, {
    saw: say(`de emmer zegt ${told}, niet ${region}`, `the bucket says ${told}, not ${region}`),
    ...ELSEWHERE,
  });
}

function replication({ provider }: Bucket, told: Answers["replication"]): BucketRow {
  const what = "replication";
  const expected = tellsOf(provider).replication;
  if (expected === "unsupported")
    return honoured(what, "kent deze aanbieder niet", "this provider has none");
  if (told === "not told" && expected === "required")
    return unfit(what, { saw: say("de emmer zegt het niet", "it does not say"), ...ELSEWHERE });
  if (typeof told === "string") {
    return unsaid(what, told, say("kopieën elders zijn niet uit te sluiten", "copies may exist"));
  }
  if (told.length === 0) return honoured(what, "kopieert nergens heen", "copies to nowhere");
  return unfit(what, {
    saw: say(`kopieert naar ${told.join(", ")}`, `copies to ${told.join(", ")}`),
    means: say(
      "wat hier vernietigd wordt blijft daar liggen: die kopie kent geen vernietiging",
      "what is destroyed here stays there: version deletes are never copied",
    ),
    todo: say("zet de replicatie uit en leeg de andere emmer", "turn it off; empty the other"),
  });
}

/** A setting that nobody told. To be denied is a right that is missing; not to know is the provider's way. */
export function unsaid(
  what: string,
  told: "not told" | "denied",
  means: { nl: string; en: string },
): BucketRow {
  if (told === "denied") {
    return unfit(what, {
      saw: say("dit mag de kast niet vragen", "the box may not ask"),
      means,
      todo: say(
        "geef de kast het recht: bewaard vault policy",
        "give the box the right: bewaard vault policy",
      ),
    });
  }
  return remark(what, {
    saw: say("deze aanbieder kent de vraag niet", "this provider does not know the question"),
    means,
    todo: say("vraag het de aanbieder, schriftelijk", "ask the provider, in writing"),
  });
}
