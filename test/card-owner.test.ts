import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "mocha";
import { cardOwner } from "../daemon/helper/card-owner.ts";
import { systemMounts } from "../daemon/helper/mounts.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { hasOwnMounts, itWithOwnMounts } from "./fakes/own-mounts.ts";

const ALONE = "bewaard:x:61000:61009::/:/usr/sbin/nologin\n";
const DOCK = "bewaard-dock:x:61001:61019::/:/usr/sbin/nologin\n";
/** In place of mount(8): prints what it was told, as what it complains of. */
const TELLS = '#!/bin/sh\necho "$@" >&2\nexit 1\n';

(hasOwnMounts() ? describe : leftOut)("whom a card is mounted for", () => {
  itWithOwnMounts(
    import.meta.url,
    "is the dock's user where there is one, else the one user of the box, and else nobody",
    async () => {
      await using folder = await temporaryFolder();
      const at = (name: string): string => join(folder.path, name);
      const users = (await readFile("/etc/passwd", "utf8")).replace(/^bewaard.*\n/gm, "");
      await writeFile(at("mount"), TELLS, { mode: 0o755 });
      const known = async (more: string): Promise<void> =>
        writeFile(at("passwd"), `${users}${more}`);
      await known("");
      execFileSync("mount", ["--bind", at("passwd"), "/etc/passwd"]);
      await assert.rejects(cardOwner(), { code: "CARD_MOUNT", transient: true });
      execFileSync("mount", ["--bind", at("mount"), "/usr/bin/mount"]);
      for (const [line, owner] of [
        [ALONE, "uid=61000,gid=61009"],
        [`${ALONE}${DOCK}`, "uid=61001,gid=61019"],
      ] as const) {
        await known(line);
        assert.equal(await cardOwner(), owner);
        const mounting = systemMounts("/dev").mount("sdb1", "vfat", folder.path);
        const told = new RegExp(`,${owner},dmask=0277,fmask=0377,tz=UTC,iocharset=utf8 /dev/sdb1 `);
        await assert.rejects(mounting, told);
      }
    },
  );
});

/** Where nothing may be mounted. */
function leftOut(): void {}
