import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { outcomeOf, PLAINLY, type Probing, pieceOf, refusalsOf, tried } from "./bucket-probe.ts";
import { type BucketRow, honoured, notLocked, say, unfit } from "./bucket-row.ts";

const NARROW = say("beperk de sleutel: bewaard vault policy", "narrow it: bewaard vault policy");
const GRANT = say("geef het recht: bewaard vault policy", "give the right: bewaard vault policy");

/** What the box's credential may, and must not. Nothing is stored: what is sent has not the hash it promises. */
export async function boxRows(probing: Probing, versionId: string): Promise<readonly BucketRow[]> {
  const { box, kept, elsewhere, folder, signal } = probing;
  const one = (what: string, row: () => Promise<BucketRow>) =>
    tried(what, signal, async () => [await row()]);
  const writes = (what: string, key: string) =>
    one(what, async () => may(what, await mayPut(box, key, signal), GRANT_WRITES));
  return [
    ...(await writes("ledger write", `ledger/${kept.node}/check`)),
    ...(await writes("backup write", `backup/${kept.node}/check`)),
    ...(await one("desk read", async () =>
      may("desk read", await mayList(box, "desk/"), DESK_READ),
    )),
    ...(await one("desk write", async () =>
      mayNot("desk write", await mayPut(box, "desk/check", signal), DESK_WRITE),
    )),
    ...(await one("other prefix list", async () =>
      mayNot("other prefix list", await mayList(box, elsewhere), OTHERS),
    )),
    ...(await one("other prefix read", () => readsElsewhere(probing, versionId))),
    ...(await one("other prefix write", async () =>
      mayNot("other prefix write", await mayPut(box, `${elsewhere}check`, signal), OTHERS),
    )),
    ...(await one("box delete", async () => boxDeletes(probing, `${folder}never`, versionId))),
  ];
}

interface Judged {
  readonly nl: string;
  readonly en: string;
}

const GRANT_WRITES = {
  nl: "de kast kan haar grootboek of back-up niet kwijt",
  en: "the box cannot put its ledger or its backup away",
};
const DESK_READ = {
  nl: "de kast hoort niets van het bureau: geen hold gaat in",
  en: "the box hears nothing from the desk: no hold comes into force",
};
const DESK_WRITE = {
  nl: "wie de kast steelt schrijft in de keten van het bureau",
  en: "whoever steals the box writes into the desk's chain",
};
const OTHERS = {
  nl: "wie deze kast steelt komt bij wat van andere kasten is",
  en: "whoever steals this box gets at what belongs to other boxes",
};

function may(what: string, allowed: boolean, { nl, en }: Judged): BucketRow {
  if (allowed) return honoured(what, "mag, en moet", "allowed, as it must be");
  return unfit(what, { saw: say("geweigerd", "refused"), means: { nl, en }, todo: GRANT });
}

export function mayNot(what: string, allowed: boolean, { nl, en }: Judged): BucketRow {
  if (!allowed) return honoured(what, "geweigerd", "refused");
  const saw = say("mag, en mag niet mogen", "allowed, and must not be");
  return unfit(what, { saw, means: { nl, en }, todo: NARROW });
}

/** Whether it may put there: refused for its hash and not for its key. Only of a bucket that compares hashes. */
export async function mayPut(calls: S3Calls, key: string, signal: AbortSignal): Promise<boolean> {
  const piece = pieceOf("bewaard check\n", "something else");
  return (await outcomeOf(() => calls.putObject(key, piece, PLAINLY, signal))) !== "denied";
}

async function mayList(calls: S3Calls, prefix: string): Promise<boolean> {
  return (await outcomeOf(() => calls.listVersions(prefix, undefined, 1))) !== "denied";
}

export async function mayHead(calls: S3Calls, key: string, versionId: string): Promise<boolean> {
  return (await outcomeOf(() => calls.headObject(key, versionId))) !== "denied";
}

/** Some say of what is not there that it is not, also to who might not read it: then nobody can tell. */
async function readsElsewhere({ box, elsewhere }: Probing, versionId: string): Promise<BucketRow> {
  const what = "other prefix read";
  const came = await outcomeOf(() => box.headObject(`${elsewhere}check`, versionId));
  if (came !== "not there" || (await mayList(box, elsewhere)))
    return mayNot(what, came !== "denied", OTHERS);
  return honoured(
    what,
    "niet te beproeven (404): zij kan daar niets opzoeken",
    "cannot be tried (404): it can look nothing up there",
  );
}

/** Asked of a version that is not there, so that nothing is deleted. */
export async function mayDelete(calls: S3Calls, key: string, versionId: string): Promise<boolean> {
  return (await refusalsOf(calls, [{ key, versionId }])).length === 0;
}

async function boxDeletes(
  { box, kept, destroyer }: Probing,
  key: string,
  versionId: string,
): Promise<BucketRow> {
  const what = "box delete";
  if (!(await mayDelete(box, key, versionId))) return honoured(what, "geweigerd", "refused");
  const saw = say("de kast mag versies vernietigen", "the box may destroy versions");
  if (kept.level === "locked") {
    return notLocked(what, {
      saw,
      means: say(
        "wat geen slot heeft, zoals het grootboek, kan met de kast gewist worden",
        "what has no lock, like the ledger, can be deleted with the box",
      ),
      todo: NARROW,
    });
  }
  return unfit(what, {
    saw,
    means: say(
      "wie de kast steelt kan alle beelden vernietigen: dat hoort een tweede sleutel te vragen",
      "whoever steals the box can destroy all footage: that must take a second credential",
    ),
    todo:
      destroyer === undefined
        ? say(
            "geef dit recht aan een sleutel apart: destroyer.credential",
            "give this right to a credential of its own: destroyer.credential",
          )
        : NARROW,
  });
}
