import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { GOOD_BOX, saidOf, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const PROFILE = { name: "x", media: ["**"], start_in_name: null, zone: "UTC", clock: "unknown" };

/** What is said of a box whose only bodycam has this profile; paths are left out. */
async function saying(profile: object, box: object = {}): Promise<string> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "profile.yaml");
  const bodycams = [{ ...GOOD_BOX.bodycams[0], profile: path }];
  const files = { "profile.yaml": stringify({ ...PROFILE, ...profile }) };
  const written = await writtenIn(folder.path, { ...GOOD_BOX, ...box, bodycams }, files);
  return (await saidOf(written)).replaceAll(folder.path, "");
}

describe("when cards are wiped (wipe_after)", () => {
  it("is never only for a model that records over its oldest footage, and within the term (DH-06)", async () => {
    assert.match(await saying({ wipe_after: "never" }), /wipe_after: never: only of a model/);
    assert.match(
      await saying({ wipe_after: "never", loops_within: "40 days" }),
      /bodycams\.0\.profile: .* for longer than the term/,
    );
    assert.equal(await saying({ wipe_after: "never", loops_within: "5 days" }), "");
    assert.match(await saying({}, { docks: { wipe_after: "never" } }), /docks\.wipe_after/);
  });

  it("names a second medium only where there is one (AR-20)", async () => {
    const docks = { wipe_after: "second-medium" };
    assert.match(await saying({}, { docks }), /docks\.wipe_after: .*say which under secured/);
    const secured = { directory: "/media/veilig", medium: "usb-schijf", serial: "WD-1" };
    assert.equal(await saying({}, { docks, secured }), "");
  });
});
