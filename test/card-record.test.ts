import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { readCardRecords } from "../drivers/bodycam/card-record.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const MEDIA = "/run/bewaard/media";

/** What is read where one file holds `content`, and what is said of it. */
async function read(content: unknown, name = "sdb1.json", owner = process.getuid?.() ?? 0) {
  await using folder = await temporaryFolder();
  await writeFile(
    join(folder.path, name),
    typeof content === "string" ? content : JSON.stringify(content),
    { mode: 0o644 },
  );
  const said: string[] = [];
  const rules = { owner, media: MEDIA, refused: (_: string, why: string) => void said.push(why) };
  return { records: await readCardRecords(folder.path, rules), said };
}

const GOOD = cardRecordOf({ name: "sdb1", media: MEDIA });

describe("a record of a card", () => {
  it("is read as the root helper wrote it", async () => {
    assert.deepEqual(await read(GOOD), { records: [GOOD], said: [] });
  });

  it("is refused where another user than root owns it", async () => {
    const { records, said } = await read(GOOD, "sdb1.json", 4_000_000);
    assert.deepEqual([records, said], [[], ["is not root's"]]);
  });

  it("is refused where others may write it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "sdb1.json");
    await writeFile(path, JSON.stringify(GOOD));
    for (const mode of [0o664, 0o646, 0o666]) {
      await chmod(path, mode);
      const said: string[] = [];
      const refused = (_: string, why: string): void => void said.push(why);
      const rules = { owner: process.getuid?.() ?? 0, media: MEDIA, refused };
      assert.deepEqual(await readCardRecords(folder.path, rules), []);
      assert.deepEqual(said, ["may be written by others than root"]);
    }
  });

  it("is refused where it leads out of the media folder, or to another card there", async () => {
    for (const mountedAt of [
      "/etc",
      `${MEDIA}/../cards`,
      `${MEDIA}/sdc1`,
      MEDIA,
      `${MEDIA}/sdb1/`,
    ]) {
      const { records, said } = await read({ ...GOOD, mountedAt });
      assert.deepEqual([records.length, said.length], [0, 1], mountedAt);
    }
  });

  it("is refused where it is of another device than its name, half written, too long or of another form", async () => {
    for (const wrong of [
      { ...GOOD, name: "sdc1", mountedAt: `${MEDIA}/sdc1` },
      { ...GOOD, name: "../sdb1" },
      { ...GOOD, device: "8:17; rm" },
      { ...GOOD, slot: "../../etc/1" },
      { ...GOOD, more: 1 },
      { ...GOOD, bewaard: "card/2" },
      { ...GOOD, refused: "unpaired" },
      { ...GOOD, mountedAt: null },
      JSON.stringify(GOOD).slice(0, 100),
      JSON.stringify(GOOD).padEnd(20_000, " "),
      "",
      "[]",
    ]) {
      const { records, said } = await read(wrong);
      assert.deepEqual([records.length, said.length], [0, 1], JSON.stringify(wrong).slice(0, 200));
    }
  });

  it("that is a link, a folder or gone stops no other from being read", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "sdb1.json"), JSON.stringify(GOOD), { mode: 0o644 });
    await symlink("sdb1.json", join(folder.path, "sda1.json"));
    await mkdir(join(folder.path, "sdd1.json"));
    const rules = { owner: process.getuid?.() ?? 0, media: MEDIA, refused: () => undefined };
    assert.deepEqual(await readCardRecords(folder.path, rules), [GOOD]);
    assert.deepEqual(await readCardRecords(join(folder.path, "nowhere"), rules), []);
  });
});
