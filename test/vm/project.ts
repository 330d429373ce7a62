import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { temporaryFolder } from "../fakes/folder.ts";
import { SERVICE_OPTIONS } from "./box.ts";
import { PROJECT_BYTES } from "./machine.ts";

const run = promisify(execFile);
const TOP = fileURLToPath(new URL("../..", import.meta.url));
const COMPILE = fileURLToPath(new URL("compile.sh", import.meta.url));

const lockSchema = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().optional() })),
});

/**
 * Writes `path`: what a checkout has after `node setup.mjs`, the Node that it runs on included, as one tar. Without what only
 * developing needs, and what git ignores. In its folder `compiled`: what Node would compile of it in the guest.
 */
export async function writeProject(path: string): Promise<void> {
  const names = [...(await ownFiles()), ...(await packages())];
  await using more = await temporaryFolder();
  const out = join(more.path, "compiled");
  await run("unshare", ["--mount", COMPILE, TOP, out, SERVICE_OPTIONS]);
  const both = ["-C", TOP, "--null", "--files-from=-", "-C", more.path, "compiled"];
  const made = run("tar", ["-cf", path, ...both]);
  made.child.stdin?.end(names.join("\0"));
  await made;
  if ((await stat(path)).size > PROJECT_BYTES) throw new Error("the project outgrew PROJECT_BYTES");
  await truncate(path, PROJECT_BYTES);
}

async function ownFiles(): Promise<readonly string[]> {
  const listed = await run("git", ["-C", TOP, "ls-files", "-z", "-co", "--exclude-standard"]);
  return listed.stdout.split("\0").filter((name) => name !== "" && existsSync(join(TOP, name)));
}

/** Of Node's package only the program: its headers are 60 MB. */
async function packages(): Promise<readonly string[]> {
  const lock = lockSchema.parse(JSON.parse(await readFile(join(TOP, "package-lock.json"), "utf8")));
  const names = Object.entries(lock.packages).flatMap(([name, { dev }]) =>
    name === "" || dev ? [] : [name.startsWith("node_modules/node-linux-") ? `${name}/bin` : name],
  );
  return ["node_modules/.bin/node", ...names.filter((name) => existsSync(join(TOP, name)))];
}
