import { outcomeOf, type Probing, tried, type Written } from "./bucket-probe.ts";
import { type BucketRow, honoured, notLocked, say } from "./bucket-row.ts";

/**
 * Whether the box may set holds, and must not lift them. What it cannot lift it does not set: that is then
 * asked of a version that is not there.
 */
export async function holdRows(probing: Probing, written: Written): Promise<readonly BucketRow[]> {
  const { box, folder, signal, lockedUntil } = probing;
  if (lockedUntil === undefined) return [];
  const { key, versionId } = written;
  return tried("hold lifted", signal, async () => {
    // Nothing holds it: that a lift succeeds changes nothing.
    const lift = await outcomeOf(() => box.setHold(key, versionId, false));
    if (lift === "denied") {
      const lifted = honoured("hold lifted", "geweigerd", "refused");
      const set = await outcomeOf(() => box.setHold(`${folder}never`, versionId, true));
      return [lifted, set === "denied" ? DESK_SETS : BOX_SETS];
    }
    return [LIFTS, await setAndLifted(probing, written)];
  });
}

const DESK_SETS = honoured(
  "hold set",
  "de kast mag het niet: het bureau stelt veilig",
  "the box may not: the desk sets holds",
);
const BOX_SETS = honoured(
  "hold set",
  "niet beproefd: de kast zou het niet kunnen opheffen; waar zij het niet mag, doet het bureau het",
  "not tried: the box could not lift it; where it may not, the desk does",
);
const LIFTS = notLocked("hold lifted", {
  saw: say("de kast mag een hold opheffen", "the box may lift a hold"),
  means: say(
    "wie de kast steelt laat veiliggestelde beelden vernietigen",
    "whoever steals the box has held footage destroyed",
  ),
  todo: say("beperk de kast: bewaard vault policy", "narrow the box: bewaard vault policy"),
});

async function setAndLifted({ box }: Probing, { key, versionId }: Written): Promise<BucketRow> {
  const came = await outcomeOf(() => box.setHold(key, versionId, true));
  if (came === "denied") return DESK_SETS;
  const held = await box.getHold(key, versionId);
  await box.setHold(key, versionId, false);
  if (held) return honoured("hold set", "gezet en teruggelezen", "set and read back");
  return notLocked("hold set", {
    saw: say("genegeerd", "silently ignored"),
    means: say(
      "veiliggestelde beelden worden na hun slot vernietigd",
      "held footage is destroyed when its lock ends",
    ),
    todo: say("neem een andere aanbieder", "take another provider"),
  });
}
