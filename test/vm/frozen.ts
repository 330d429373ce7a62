import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "#base/system-clock";
import { temporaryFolder } from "../fakes/folder.ts";
import { FROZEN, type Guest, switchOnGuest } from "./guest.ts";
import { guestImage, type Image, type Suite } from "./image.ts";
import { machineArguments, PROJECT_BYTES, placesIn } from "./machine.ts";

const run = promisify(execFile);

/** A guest as it ran at a moment, from which others go on. */
export interface Frozen {
  readonly image: Image;
  /** Its disk, and its memory in that. */
  readonly disk: string;
}

/** A guest that has just booted; what `project` writes is its second disk, /dev/vdb. */
export async function openGuest(
  from?: Frozen,
  project: (path: string) => Promise<void> = emptyProject,
): Promise<Guest> {
  const { image, disk } = from ?? (await justBooted());
  await using made = new AsyncDisposableStack();
  const folder = made.use(await temporaryFolder()).path;
  const places = placesIn(folder);
  await run("cp", ["--reflink=auto", "--sparse=always", disk, places.disk]);
  await project(places.project);
  const guest = made.use(await switchOnGuest(image, folder, ["-loadvm", FROZEN]));
  // It is as late there as when it was frozen.
  await guest.sh(`date -u -s @${systemClock.now() / 1000}`);
  const kept = made.move();
  return { ...guest, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A drive that was there when it was frozen must be there, and as large. */
async function emptyProject(path: string): Promise<void> {
  await writeFile(path, "");
  await truncate(path, PROJECT_BYTES);
}

/** A guest just after it booted, made if there is none for this QEMU: minutes. Two at once would both make it. */
export async function justBooted(
  suite: Suite = "trixie",
  processors: Image["processors"] = 1,
): Promise<Frozen> {
  const image = await guestImage(suite, processors);
  const { stdout } = await run("qemu-system-x86_64", ["--version"]);
  const how = [FROZEN, stdout, ...machineArguments(image, "/")].join("\n");
  const key = createHash("sha256").update(how).digest("hex").slice(0, 16);
  const disk = join(image.folder, `booted-${key}.qcow2`);
  if (!existsSync(disk)) await boot(image, disk);
  return { image, disk };
}

async function boot(image: Image, disk: string): Promise<void> {
  const folder = await mkdtemp(join(image.folder, "boot-"));
  const places = placesIn(folder);
  try {
    const backing = ["-b", image.disk, "-F", "qcow2"];
    await run("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, places.disk]);
    await emptyProject(places.project);
    await using guest = await switchOnGuest(image, folder, []);
    await guest.sh("systemctl is-system-running --wait; udevadm settle");
    await guest.freeze(disk);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
