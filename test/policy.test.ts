import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { DAY_MS } from "#base/time";
import { type Annex, annexSchema } from "../config/annex-schema.ts";
import { readPolicy } from "../config/load.ts";
import { narrow } from "../config/narrow.ts";
import type { Policy } from "../config/policy-schema.ts";
import { GOOD_ANNEX, GOOD_BOX, saidOf, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const HOUR_MS = 3_600_000;

/** A policy of Den Haag with some of its text replaced, read from a file of its own. */
async function changed(from: string | RegExp, to: string, name = "den-haag"): Promise<Policy> {
  await using folder = await temporaryFolder();
  const shipped = new URL(`../config/policies/${name}.yaml`, import.meta.url);
  const path = join(folder.path, "policy.yaml");
  const text = await readFile(shipped, "utf8");
  assert.notEqual(text.replace(from, to), text);
  await writeFile(path, text.replace(from, to));
  return await readPolicy(path);
}

describe("the policy of Den Haag", () => {
  it("is 28 days, five purposes, five grounds, the police alone, picture and sound (DH-02 … DH-10)", async () => {
    const policy = await readPolicy("den-haag");
    assert.equal(policy.retention, 28 * DAY_MS);
    assert.equal(policy.ground, "AVG 6.1.f");
    assert.deepEqual(policy.keeps, ["video", "audio"]);
    assert.deepEqual(
      policy.hold_grounds.filter(({ reference }) => reference).map(({ name }) => name),
      ["aangifte", "vordering"],
    );
    assert.deepEqual(
      policy.hold_grounds.filter(({ reference }) => !reference).map(({ name }) => name),
      ["klacht", "integriteitsonderzoek", "evaluatie"],
    );
    assert.deepEqual(policy.recipients, ["politie"]);
    assert.equal(policy.opened_by, "handhavingsorganisatie");
    assert.equal(policy.audit_every, 365 * DAY_MS);
  });

  it("knows no buildings, no live pictures, no hidden cameras, no external staff", async () => {
    const policy = await readPolicy("den-haag");
    assert.deepEqual([policy.buildings, policy.live_view, policy.incident_kinds], [[], [], []]);
    assert.deepEqual(
      [policy.sound, policy.covert, policy.external_staff],
      [undefined, undefined, undefined],
    );
  });
});

describe("the policy of Arnhem", () => {
  it("has the seven purposes of art. 2.1, its incidents and its two grounds (AR-02, AR-05, AR-17)", async () => {
    const policy = await readPolicy("arnhem");
    assert.equal(policy.purposes.length, 7);
    assert.deepEqual(policy.incident_kinds, ["strafbaar-feit", "ongeval", "overlast"]);
    assert.deepEqual(policy.hold_grounds, [
      { name: "vordering", reference: true },
      { name: "feitenonderzoek", reference: true },
    ]);
    assert.deepEqual(policy.recipients, ["politie", "om"]);
    assert.deepEqual(policy.hand_over_on, ["vordering"]);
    assert.equal(policy.retention, 28 * DAY_MS);
    assert.equal(policy.ground, "AVG 6.1.f");
  });

  it("has six kinds of building, each with the manager of art. 5.1 (AR-04, AR-16)", async () => {
    const { buildings } = await readPolicy("arnhem");
    const ours = buildings.filter(({ manager }) => manager.endsWith("vastgoed"));
    assert.deepEqual(
      ours.map(({ name }) => name),
      ["stadskantoor", "stadhuis", "eusebiusveste", "loket-zuid", "mfc"],
    );
    assert.equal(buildings.at(-1)?.manager, "clustermanager-openbare-ruimte");
  });

  it("allows sound in the interview rooms of two buildings only, for one purpose (AR-13, AR-14)", async () => {
    const { keeps, sound } = await readPolicy("arnhem");
    assert.deepEqual(keeps, ["video"]);
    assert.deepEqual(
      sound?.rooms.map(({ building }) => building),
      ["stadhuis", "stadskantoor"],
    );
    assert.equal(sound?.purpose, "onderzoek-en-aangifte");
  });

  it("answers requests in 4 weeks and freezes nothing, complaints in 6 and 4 (AR-38, AR-42)", async () => {
    for (const name of ["arnhem", "den-haag"]) {
      const { requests, complaints } = await readPolicy(name);
      assert.deepEqual(requests, { due_within: 28 * DAY_MS, freeze: false });
      assert.deepEqual(complaints, { due_within: 42 * DAY_MS, extended_by: 28 * DAY_MS });
    }
  });

  it("lets security and reception see their own building live, four eyes open, hidden cameras be decided (AR-18, AR-21, AR-40)", async () => {
    const policy = await readPolicy("arnhem");
    assert.deepEqual(
      policy.live_view.filter(({ buildings }) => buildings === "own").map(({ role }) => role),
      ["security", "reception"],
    );
    assert.deepEqual(policy.four_eyes, { people: 2, instruction_by: "leidinggevende" });
    assert.equal(policy.covert?.ground, "integriteitsschending");
    assert.equal(policy.external_staff?.inside_only, true);
  });
});

describe("a policy", () => {
  it("may be shorter than 28 days and never longer (DH-06, AR-26)", async () => {
    assert.equal(
      (await changed("retention: 28 days", "retention: 10 days")).retention,
      10 * DAY_MS,
    );
    for (const longer of ["29 days", "673 hours", "28.1 days"]) {
      await assert.rejects(changed("retention: 28 days", `retention: ${longer}`), {
        code: "CONFIG_INVALID",
        message: /:\d+:1: retention: at most "28 days"/,
      });
    }
    await assert.rejects(changed("retention: 28 days", "retention: 0 days"), {
      code: "CONFIG_INVALID",
    });
  });

  it("is refused where one line goes against another, and says which", async () => {
    for (const [from, to, message] of [
      ["undocked: 3 days", "undocked: 28 days", /longest_undocked: at least a day shorter/],
      [
        "on: [aangifte, vordering]",
        "on: [aangifte, verzoek]",
        /hand_over_on: only names of hold_grounds/,
      ],
      ["people: 2", "people: 1", /four_eyes.people: at least 2 \(AR-21\)/],
      [
        "buildings: []",
        "sound: { purpose: pret, rooms: [{ building: x, room: y }] }",
        /sound: its purpose is one of[^]*sound: its rooms are in buildings/,
      ],
      ["name: klacht", "name: aangifte", /hold_grounds: each ground once/],
      ["[politie]", "[De politie]", /recipients.0: write a short word in small letters/],
      ["access: 365 days", "access: 36500 days", /register_terms.access: at most 20 years/],
      [
        "keeps: [video, audio]",
        "keeps: [video, gps]",
        /keeps.1: write one of: video, audio, location/,
      ],
      [
        "keeps:",
        "informed_on: 2026-12-01\nin_force_from: 2026-11-01\nkeeps:",
        /informed_on: on or before in_force_from.*AR-11/,
      ],
    ] as const) {
      await assert.rejects(changed(from, to), { code: "CONFIG_INVALID", message });
    }
  });
});

/** Whether `one` allows nothing that `other` does not; written by itself, to check `narrow` against. */
function assertWithin(one: Policy, other: Policy): void {
  const within = (some: readonly unknown[], all: readonly unknown[]): void => {
    const known = new Set(all.map((each) => JSON.stringify(each)));
    for (const each of some) assert.ok(known.has(JSON.stringify(each)), JSON.stringify(each));
  };
  assert.ok(one.retention <= other.retention);
  assert.ok(other.read_back === "sampled" || one.read_back === "whole");
  for (const key of [
    "purposes",
    "hold_grounds",
    "recipients",
    "hand_over_on",
    "buildings",
    "live_view",
  ] as const)
    within(one[key], other[key]);
  within(one.sound?.rooms ?? [], other.sound?.rooms ?? []);
  for (const { building } of one.sound?.rooms ?? [])
    within(
      [building],
      one.buildings.map(({ name }) => name),
    );
  within(one.sound ? [one.sound.purpose] : [], one.purposes);
  within(
    one.hand_over_on,
    one.hold_grounds.map(({ name }) => name),
  );
  for (const key of ["covert", "external_staff"] as const)
    assert.ok(one[key] === undefined || other[key] !== undefined, key);
  const named = [
    "retention",
    "read_back",
    "purposes",
    "hold_grounds",
    "recipients",
    "hand_over_on",
    "buildings",
    "sound",
    "covert",
    "external_staff",
    "live_view",
  ];
  const rest = (policy: Policy) => Object.entries(policy).filter(([key]) => !named.includes(key));
  assert.deepEqual(rest(one), rest(other));
}

/** Annexes that draw from what the policy has and from what it has not. */
function annexes(policy: Policy): fc.Arbitrary<Annex> {
  const some = (words: readonly string[], least = 1) =>
    fc.option(
      fc.oneof(
        fc.subarray([...words], { minLength: Math.min(least, words.length) }),
        fc.uniqueArray(fc.constantFrom(...words, "elders"), { minLength: least, maxLength: 4 }),
      ),
      { nil: undefined },
    );
  const rooms = [...(policy.sound?.rooms ?? []), { building: "mfc", room: "hal" }];
  return fc
    .record({
      retention: fc.option(
        fc.integer({ min: 24, max: 29 * 24 }).map((hours) => hours * HOUR_MS),
        { nil: undefined },
      ),
      read_back: fc.option(fc.constantFrom("sampled", "whole"), { nil: undefined }),
      purposes: some(policy.purposes),
      hold_grounds: some(policy.hold_grounds.map(({ name }) => name)),
      recipients: some(policy.recipients),
      hand_over_on: some(policy.hand_over_on, 0),
      buildings: some(
        policy.buildings.map(({ name }) => name),
        0,
      ),
      sound_rooms: fc.option(fc.subarray(rooms), { nil: undefined }),
      covert: fc.option(fc.boolean(), { nil: undefined }),
      external_staff: fc.option(fc.boolean(), { nil: undefined }),
      live_view: fc.option(fc.subarray(["custodian", "reception", "security"] as const), {
        nil: undefined,
      }),
    })
    .map((keys) => ({ ...annexSchema.parse(GOOD_ANNEX), ...keys }));
}

describe("an annex", () => {
  for (const name of ["arnhem", "den-haag"]) {
    it(`that is taken leaves nothing that ${name} does not allow, and one that is not names a widening (AR-08)`, async () => {
      const shipped = await readPolicy(name);
      let taken = 0;
      fc.assert(
        fc.property(annexes(shipped), fc.constantFrom("sampled", "whole"), (annex, read_back) => {
          const policy = { ...shipped, read_back };
          const { policy: narrowed, widenings } = narrow(policy, annex);
          if (narrowed) assertWithin(narrowed, policy);
          else assert.ok(widenings.length > 0);
          taken += narrowed ? 1 : 0;
        }),
        { numRuns: 3000 },
      );
      assert.ok(taken > 10, `${taken} taken`);
    });
  }

  it("that widens is refused at its own lines, with every widening named (AR-08)", async () => {
    await using folder = await temporaryFolder();
    const annex = {
      ...GOOD_ANNEX,
      purposes: ["toegangsbewaking", "marketing"],
      recipients: ["politie", "verzekeraar"],
      sound_rooms: [{ building: "mfc", room: "hal" }],
    };
    const box = { ...GOOD_BOX, annex: join(folder.path, "annex.yaml") };
    const said = await saidOf(await writtenIn(folder.path, box, { "annex.yaml": annex }));
    assert.match(
      said,
      /^POLICY_WIDENED .*annex.yaml:13:5: purposes.1: more than the policy allows; only from: /,
    );
    assert.match(said, /annex.yaml:16:5: recipients.1: .*only from: politie, om/);
    assert.match(said, /annex.yaml:20:5: sound_rooms.0: sound where the policy has none \(AR-14\)/);
  });

  it("of a regime of its own is flagged, names its own policy and narrows nothing (AR-09)", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    const { tenant, consent } = GOOD_ANNEX;
    const box = { ...GOOD_BOX, annex: at("annex.yaml") };
    const annex = { tenant, consent, own_regime: true };
    const city = await saidOf(await writtenIn(folder.path, box, { "annex.yaml": annex }));
    assert.match(city, /:4:1: policy: a tenant with a regime of its own/);
    const both = await saidOf(
      await writtenIn(folder.path, box, { "annex.yaml": { ...annex, retention: "7 days" } }),
    );
    assert.match(both, /retention: leave it out: a regime of its own is no annex/);
    const none = await saidOf(
      await writtenIn(folder.path, box, { "annex.yaml": { tenant, consent } }),
    );
    assert.match(none, /agreed: is missing/);
  });

  it("is refused when it is shorter than a camera may stay out", async () => {
    await using folder = await temporaryFolder();
    const box = { ...GOOD_BOX, policy: "den-haag", annex: join(folder.path, "annex.yaml") };
    const { tenant, consent, agreed } = GOOD_ANNEX;
    const annex = { tenant, consent, agreed, retention: "3 days" };
    const said = await saidOf(await writtenIn(folder.path, box, { "annex.yaml": annex }));
    assert.match(said, /annex.yaml:\d+:1: retention: at least a day longer than longest_undocked/);
  });
});
