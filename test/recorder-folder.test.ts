import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { isAnothers, lookAtSecret, readPassword } from "../config/secrets.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { recordSocketPath } from "../daemon/places.ts";
import { runRecord } from "../daemon/record/run-record.ts";
import { askStates } from "../daemon/record/states-socket.ts";
import { GOOD_CAMERA } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { asNobody } from "./fakes/nobody.ts";
import { capturedEvents, NEVER, START } from "./fakes/rig.ts";
import { openSite } from "./fakes/site.ts";
import { until } from "./fakes/until.ts";

const PASSWORD = "cam-0001.password";

describe("the recorder's own folder (decision 0035)", () => {
  it("has all that the recorder writes beside its facts, and the state folder nothing of it", async () => {
    const more = {
      policy: "arnhem",
      cameras: [{ ...GOOD_CAMERA, url: "rtsp://127.0.0.1:1/none" }],
    };
    await using site = await openSite(START, [], 3, more);
    const { config: asMade } = site.demo;
    const own = join(site.folder, "record");
    const config = { ...asMade, recorder: { state: own } };
    // Whom the folder's group is may open what is made in it.
    const group = process.getuid?.() === 0 ? 65_534 : (process.getgroups?.()[0] ?? 0);
    await mkdir(own);
    await chown(own, -1, group);
    await chmod(own, 0o2710);
    await writeFile(join(own, PASSWORD), "geheim\n", { mode: 0o600 });
    const before = await readdir(config.state);
    const stop = new AbortController();
    const clock = systemClock;
    const running = runRecord(clock, capturedEvents([]), unattended(clock), config, stop.signal);
    try {
      // A camera that nobody answers for, but not for want of its password.
      await until(async () => {
        const [camera] = await askStates(recordSocketPath(config), NEVER).catch(() => []);
        return camera?.code === "CAMERA_UNREACHABLE";
      });
      for (const name of ["record.sock", "live.sock"]) {
        const { gid, mode } = await lstat(join(own, name));
        assert.deepEqual([gid, mode & 0o777], [group, 0o660], name);
      }
      await until(async () => (await readdir(own)).includes("marks.json"));
      assert.deepEqual(await readdir(config.state), before);
    } finally {
      stop.abort();
      await running;
    }
  });

  it("is another user's where it is, whose passwords are looked at from outside", async () => {
    await using folder = await temporaryFolder();
    const own = join(folder.path, "record");
    const at = (name: string): string => join(own, name);
    await mkdir(own);
    await chmod(own, 0o711);
    await writeFile(at(PASSWORD), "geheim\n", { mode: 0o600 });
    await writeFile(at("empty"), "", { mode: 0o600 });
    await writeFile(at("open"), "geheim", { mode: 0o644 });
    await asNobody(folder.path, async () => {
      assert.equal(await isAnothers(own), false);
      assert.equal(await isAnothers(at("none")), false);
      await lookAtSecret(PASSWORD, own);
      await assert.rejects(lookAtSecret("empty", own), { code: "SECRET_MISSING" });
      await assert.rejects(lookAtSecret("none", own), { code: "SECRET_MISSING" });
      await assert.rejects(lookAtSecret("open", own), { code: "SECRET_EXPOSED" });
    });
    // Only root can make it another's.
    if (process.getuid?.() !== 0) return;
    await chown(own, 1, -1);
    await chown(at(PASSWORD), 1, -1);
    process.seteuid?.(65_534);
    try {
      assert.equal(await isAnothers(own), true);
      await assert.rejects(readPassword(PASSWORD, own), { code: "SECRET_MISSING" });
      await lookAtSecret(PASSWORD, own);
    } finally {
      process.seteuid?.(0);
    }
  });
});
