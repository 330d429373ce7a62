import { execFile } from "node:child_process";
import { readFile, rename, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makePackage } from "../../packaging/package.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { PROJECT_BYTES } from "./machine.ts";

const run = promisify(execFile);
const COMPILE = fileURLToPath(new URL("compile.sh", import.meta.url));

/** For Node on an emulated processor: it has interpreted sooner what it would compile, by a fifth of a command's time. */
export const INTERPRETED = "--no-opt --no-sparkplug --no-maglev";

/** The name of the package among what is written. */
export const PACKAGE = "bewaard.deb";

/**
 * Writes `path`, one tar: the package of this checkout, not compressed, and in the folder `compiled` what Node would compile of it in
 * the guest.
 */
export async function writePacked(path: string): Promise<void> {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await rename(await makePackage(folder.path, { with: "none", level: 0 }), at(PACKAGE));
  await run("dpkg-deb", ["-x", at(PACKAGE), at("root")]);
  const options = await serviceOptions(at("root/usr/lib/systemd/system/bewaard.service"));
  await run("unshare", ["--mount", COMPILE, at("root/usr"), at("compiled"), INTERPRETED, options]);
  await run("tar", ["-cf", path, "-C", folder.path, PACKAGE, "compiled"]);
  if ((await stat(path)).size > PROJECT_BYTES) throw new Error("the package outgrew PROJECT_BYTES");
  await truncate(path, PROJECT_BYTES);
}

/** Node's own in the service: what it compiled with others serves it nothing. */
async function serviceOptions(unit: string): Promise<string> {
  const text = await readFile(unit, "utf8");
  const [, own = ""] = /^ExecStart=\S+((?: --\S+)+) \S+bewaard\.js /m.exec(text) ?? [];
  return own;
}
