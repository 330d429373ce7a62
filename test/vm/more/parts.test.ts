import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { makeCard } from "../cards.ts";
import type { DockedBox } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { ownBox } from "../own-box.ts";

const PARTS = ["bewaard", "bewaard-dock", "bewaard-record"];
/** As docs/install.md says for a bucket and for cameras, though the vault here stays a folder. */
const APART = `
set -e
mkdir -p /etc/systemd/system/bewaard.service.d
ln -s /usr/lib/bewaard/systemd/bewaard-bucket.conf /etc/systemd/system/bewaard.service.d/bucket.conf
systemctl daemon-reload
systemctl restart bewaard.service
systemctl enable -q --now bewaard-record.service
`;

describe("a box with all its parts", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await makeCard(box.cardOf("BC-0001"), "fat32", 64, "CAM1", await box.recorded(440));
    await guest.sh(APART);
  });

  const shown = async (unit: string, property: string): Promise<string> =>
    (await guest.sh(`systemctl show ${unit} -p ${property} --value`)).trim();

  it("starts each of them, which says how it does, and may do little", async () => {
    for (const unit of PARTS) {
      assert.equal(await shown(unit, "ActiveState"), "active");
      const said = await guest.sh(`systemd-analyze security --no-pager ${unit} | tail -n 1`);
      const [, level] = /: (\d+\.\d) /.exec(said) ?? [];
      assert.ok(Number(level) <= 1.3, said);
    }
    assert.match(await shown("bewaard", "StatusText"), /^backlog 0; ring \d+ %/);
    assert.equal(await shown("bewaard-dock", "StatusText"), "docks empty");
    assert.equal(await shown("bewaard-record", "StatusText"), "no cameras");
  });

  it("takes what is on a card to the vault, through a dock that was killed with the card in it", async () => {
    await box.confirmTime();
    await box.plug("BC-0001", "5");
    await box.untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await guest.sh("systemctl kill -s KILL bewaard-dock bewaard-record");
    await box.pair("bc-0201", "5", "generic-dcim");
    await box.untilInVault(1);
    for (const unit of PARTS) await guest.until(`systemctl is-active ${unit}`);
    assert.equal(await shown("bewaard-dock", "NRestarts"), "1");
    assert.equal(await shown("bewaard", "NRestarts"), "0");
  });
});
