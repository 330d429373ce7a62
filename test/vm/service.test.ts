import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { recordClip } from "../../daemon/demo/clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { asBewaard, bring, installBox, untilTold } from "./box.ts";
import { makeCard } from "./cards.ts";
import { openGuest } from "./guest.ts";

/** A card with a new recording on it. */
async function recorded(folder: string, hertz: number): Promise<string> {
  const contents = join(folder, String(hertz));
  await recordClip(contents, systemClock.now(), hertz);
  const image = join(folder, `${hertz}.image`);
  await makeCard(image, "fat32", 64, "BODYCAM", contents);
  return image;
}

describe("a box under systemd, installed as docs/operations.md says", () => {
  it("answers, takes a file to the vault, says so in the journal, and goes on after the power went", async () => {
    await using folder = await temporaryFolder();
    await using guest = await openGuest();
    await installBox(guest);
    await untilTold(guest, "started");
    const status: unknown = JSON.parse(await guest.until(asBewaard("bewaarctl --json status")));
    assert.deepEqual(Object.entries(status ?? {}).slice(0, 2), [
      ["site", "den-haag-handhaving"],
      ["node", "dock-1"],
    ]);

    await bring(guest, await recorded(folder.path, 440));
    for (const event of ["sealed", "adopted", "stored"]) await untilTold(guest, event);
    const kept = "find /mnt/bewaard/vault -path '*footage*' -type f -size +1k";
    assert.equal((await guest.sh(kept)).trim().split("\n").length, 1);

    await bring(guest, await recorded(folder.path, 660));
    await guest.powerCut();
    await guest.start();
    await untilTold(guest, "stored");
    assert.equal((await guest.sh("systemctl show -p NRestarts --value bewaard")).trim(), "0");
    assert.match(
      await guest.sh("systemd-analyze security bewaard | tail -n 1"),
      / [01]\.\d (SAFE|OK)/,
    );
  });
});
