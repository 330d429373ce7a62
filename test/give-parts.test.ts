import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { diskError } from "#base/disk-errors";
import type { Config } from "../config/schema.ts";
import { inFolder } from "../daemon/record/missing-folder.ts";
import { giveParts } from "../daemon/setup/give-parts.ts";
import { asUser } from "./fakes/as-user.ts";
import { GOOD_CAMERA } from "./fakes/configuration.ts";
import { capturedEvents, START } from "./fakes/rig.ts";
import { openSite } from "./fakes/site.ts";

const CORE = { uid: 61_000, gid: 61_000 };
const PARTS = { dock: { uid: 61_001, gid: 61_001 }, record: { uid: 61_002, gid: 61_002 } };
const PASSWORD = "cam-0001.password";
const NO_EVENTS = capturedEvents([]);
/** More than any secret. */
const MARKS = "m".repeat(100_000);

/** A box of one user that has recorded a camera, and the folder that is to be its recorder's, as systemd-tmpfiles makes it. */
async function oldBox() {
  const more = { policy: "arnhem", cameras: [{ ...GOOD_CAMERA, url: "rtsp://127.0.0.1:1/none" }] };
  const site = await openSite(START, [], 3, more);
  const own = join(site.folder, "record");
  const config: Config = { ...site.demo.config, recorder: { state: own } };
  await writeFile(join(config.state, PASSWORD), "geheim\n", { mode: 0o600 });
  await writeFile(join(config.state, "marks.json"), MARKS, { mode: 0o600 });
  await writeFile(join(config.state, "record.sock"), "");
  execFileSync("chown", ["-R", `${CORE.uid}:${CORE.gid}`, site.folder]);
  await mkdir(own);
  await chown(own, PARTS.record.uid, CORE.gid);
  const whose = async (path: string): Promise<string> => {
    const { uid, gid, mode } = await stat(path);
    return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
  };
  return { site, own, config, whose, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

(process.getuid?.() === 0 ? describe : leftOut)("a box given to a user for each part", () => {
  it("has its recorder go on where it was, with its passwords, and leaves core nothing of these", async () => {
    await using box = await oldBox();
    const { config, own, whose } = box;
    for (const _ of [1, 2]) {
      assert.equal(await giveParts(config, CORE, PARTS), true);
      assert.equal(await whose(own), "61002:61000 2710");
      assert.deepEqual((await readdir(own)).toSorted(), [PASSWORD, "marks.json"]);
      for (const name of [PASSWORD, "marks.json"])
        assert.equal(await whose(join(own, name)), "61002:61002 600");
      assert.equal(await readFile(join(own, "marks.json"), "utf8"), MARKS);
      const left = await readdir(config.state);
      for (const name of [PASSWORD, "marks.json", "record.sock"]) assert.ok(!left.includes(name));
    }
    assert.equal(await whose(join(config.spool.path, "incoming/record")), "61002:61002 2770");
    // They pass through what was core's alone.
    assert.equal(await whose(box.site.folder), "61000:61000 711");
  });

  it("keeps what the recorder has by now, where it was cut off before it took away the older", async () => {
    await using box = await oldBox();
    const { config, own } = box;
    const { uid, gid } = PARTS.record;
    await writeFile(join(own, "marks.json"), "newer", { mode: 0o600 });
    await chown(join(own, "marks.json"), uid, gid);
    await giveParts(config, CORE, PARTS);
    assert.equal(await readFile(join(own, "marks.json"), "utf8"), "newer");
    assert.ok(!(await readdir(config.state)).includes("marks.json"));
  });

  it("gives what lies in a folder that was the recorder's own before there was its user", async () => {
    await using box = await oldBox();
    const { config, own, whose } = box;
    await rm(join(config.state, PASSWORD));
    await writeFile(join(own, PASSWORD), "geheim\n", { mode: 0o600 });
    for (const path of [own, join(own, PASSWORD)]) await chown(path, CORE.uid, CORE.gid);
    await giveParts(config, CORE, PARTS);
    assert.equal(await whose(own), "61002:61000 2710");
    assert.equal(await whose(join(own, PASSWORD)), "61002:61002 600");
    assert.equal(await readFile(join(own, PASSWORD), "utf8"), "geheim\n");
  });

  it("is refused where they could not come to it, or have no place, and follows no link that core could make", async () => {
    await using box = await oldBox();
    const { site, config } = box;
    await chown(site.folder, 0, 0);
    const refused = (message: RegExp) => ({ code: "SPOOL_OWNER", message });
    await assert.rejects(giveParts(config, CORE, PARTS), refused(/chmod o\+x/));
    await chmod(site.folder, 0o711);
    const none: Config = { ...config, recorder: undefined };
    await assert.rejects(giveParts(none, CORE, PARTS), { code: "CONFIG_INVALID" });
    await rm(join(config.state, PASSWORD));
    await writeFile(join(site.folder, "root's"), "", { mode: 0o600 });
    await symlink(join(site.folder, "root's"), join(config.state, PASSWORD));
    await assert.rejects(giveParts(config, CORE, PARTS), { code: "SECRET_EXPOSED" });
  });

  it("is refused where a link leads through a folder that is closed to them, and given where all let them through", async () => {
    await using box = await oldBox();
    const { site, config } = box;
    await mkdir(join(site.folder, "disk"), { mode: 0o700 });
    await chmod(site.folder, 0o711);
    await rename(config.spool.path, join(site.folder, "disk/spool"));
    await symlink(join(site.folder, "disk/spool"), config.spool.path);
    await assert.rejects(giveParts(config, CORE, PARTS), {
      code: "SPOOL_OWNER",
      message: /\/disk lets nobody through/,
    });
    await chmod(join(site.folder, "disk"), 0o711);
    assert.equal(await giveParts(config, CORE, PARTS), true);
  });

  it("is given whatever lies in the recorder's own folder, who took that over", async () => {
    await using box = await oldBox();
    const { config, own } = box;
    const { uid, gid } = PARTS.record;
    await symlink(config.state, join(own, "cam-0002.password"));
    await mkdir(join(own, "cam-0003.password"));
    await writeFile(join(own, "cam-0004.password"), "x".repeat(100_000));
    await chown(join(own, "cam-0004.password"), uid, gid);
    execFileSync("mkfifo", [join(own, "cam-0005.password")]);
    assert.equal(await giveParts(config, CORE, PARTS), true);
    assert.equal(await readFile(join(own, PASSWORD), "utf8"), "geheim\n");
  });

  it("has a recorder whose folder was removed say what makes it again, and go on then", async () => {
    await using box = await oldBox();
    const { config } = box;
    await giveParts(config, CORE, PARTS);
    const incoming = join(config.spool.path, "incoming/record");
    await rm(incoming, { recursive: true });
    const written = async () => {
      const work = async () => {
        const path = join(incoming, "a");
        await writeFile(path, "").catch((error: unknown) => {
          throw diskError(error, "sealing");
        });
      };
      await asUser(PARTS.record, 0o027, () => inFolder({ incoming, events: NO_EVENTS }, work));
    };
    await assert.rejects(written(), {
      code: "SPOOL_IO",
      transient: true,
      message: /setup --parts/,
    });
    await giveParts(config, CORE, PARTS);
    await written();
  });

  it("has nothing to give before it was set up, and is no such box where its disk is away", async () => {
    await using box = await oldBox();
    const { config } = box;
    await rm(config.spool.path, { recursive: true });
    assert.equal(await giveParts(config, CORE, PARTS), false);
    await writeFile(join(config.state, "catalog.db"), "");
    await assert.rejects(giveParts(config, CORE, PARTS), { code: "SPOOL_IDENTITY" });
  });
});

/** Only root gives files to others. */
function leftOut(): void {}
