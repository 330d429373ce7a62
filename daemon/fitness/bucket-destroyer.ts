import { type Probing, refusalsOf, tried, type Written } from "./bucket-probe.ts";
import { mayDelete, mayHead, mayNot, mayPut } from "./bucket-rights.ts";
import { type BucketRow, honoured, remark, say, unfit } from "./bucket-row.ts";

/** The second credential: in `plain` it alone destroys, and can do nothing else. */
export async function destroyerRows(
  probing: Probing,
  written: Written,
): Promise<readonly BucketRow[]> {
  const { destroyer, kept, elsewhere, signal } = probing;
  if (kept.level === "locked") return destroyer === undefined ? [] : [NOT_NEEDED];
  if (destroyer === undefined) return [MISSING];
  const one = (what: string, row: () => Promise<BucketRow>) =>
    tried(what, signal, async () => [await row()]);
  const { key, versionId } = written;
  return [
    ...(await one("destroyer read", async () =>
      mayNot("destroyer read", await mayHead(destroyer, key, versionId), TOO_MUCH),
    )),
    ...(await one("destroyer write", async () =>
      mayNot("destroyer write", await mayPut(destroyer, `${key}-2`, signal), TOO_MUCH),
    )),
    ...(await one("destroyer elsewhere", async () =>
      mayNot(
        "destroyer elsewhere",
        await mayDelete(destroyer, `${elsewhere}check`, versionId),
        NOT_ITS_OWN,
      ),
    )),
    ...(await one("destroyer delete", () => destroys(probing, written))),
  ];
}

const TOO_MUCH = {
  nl: "deze sleutel is om te vernietigen; gestolen kan zij nu meer",
  en: "this credential is for destroying; stolen, it can now do more",
};
const NOT_ITS_OWN = {
  nl: "deze sleutel vernietigt ook wat van andere kasten is",
  en: "this credential destroys what belongs to other boxes too",
};

const NOT_NEEDED = remark("destroyer", {
  saw: say("er ligt een destroyer.credential", "there is a destroyer.credential"),
  means: say(
    "level locked vernietigt zelf; een sleutel die niet nodig is kan alleen gestolen worden",
    "level locked destroys by itself; a credential nobody needs can only be stolen",
  ),
  todo: say("haal hem weg, en trek hem in", "remove it, and revoke it"),
});

const MISSING = unfit("destroyer", {
  saw: say("er is geen destroyer.credential", "there is no destroyer.credential"),
  means: say(
    "niemand kan beelden vernietigen: dag 28 wordt niet gehaald",
    "nobody can destroy footage: day 28 is missed",
  ),
  todo: say(
    "maak een sleutel die alleen vernietigt (bewaard vault policy), en zet hem in state",
    "make a credential that only destroys (bewaard vault policy), and put it in state",
  ),
});

async function destroys({ destroyer, box }: Probing, written: Written): Promise<BucketRow> {
  const what = "destroyer delete";
  const refused = destroyer === undefined ? [] : await refusalsOf(destroyer, [written]);
  // Who may not list all of a bucket is not told by AWS that a version is gone: its own listing says so.
  const { versions } = await box.listVersions(written.key, undefined, 1000);
  const there = versions.some(({ versionId }) => versionId === written.versionId);
  if (refused.length === 0 && !there)
    return honoured(what, "vernietigt een versie, en zij is weg", "destroys a version: it is gone");
  const codes = refused.join(", ");
  return unfit(what, {
    saw:
      codes === ""
        ? say("zegt ja, en de versie is er nog", "says yes, and the version is still there")
        : say(`geweigerd (${codes})`, `refused (${codes})`),
    means: say(
      "beelden blijven na hun termijn liggen: dag 28 wordt niet gehaald",
      "footage stays after its term: day 28 is missed",
    ),
    todo: say(
      "geef deze sleutel s3:DeleteObjectVersion op footage/: bewaard vault policy",
      "give this credential s3:DeleteObjectVersion on footage/: bewaard vault policy",
    ),
  });
}
