import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "#base/system-clock";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { agentOf, type Ended } from "./agent.ts";
import { guestImage, type Image } from "./image.ts";
import { type Machine, machineArguments, PROJECT_BYTES, placesIn, switchOn } from "./machine.ts";
import { type Monitor, monitorOf } from "./monitor.ts";
import { writeProject } from "./project.ts";
import { type Sockets, socketsOf } from "./sockets.ts";

const run = promisify(execFile);

/** A Debian machine of its own, with systemd, a kernel, and USB sockets. No network. */
export interface Guest extends AsyncDisposable, Sockets {
  /** Runs a command as root. */
  exec(command: string, limitMs?: number): Promise<Ended>;
  /** The same, for one that must succeed; resolves to what it printed. */
  sh(command: string, limitMs?: number): Promise<string>;
  /** Asks again and again until `condition` succeeds; resolves to what it printed. */
  until(condition: string, limitMs?: number): Promise<string>;
  /** Writes a file, whose folder must be there, some KB a second: what is large comes on a card. */
  put(path: string, content: Uint8Array | string): Promise<void>;
  /** What a unit said since this boot, a line each. */
  journal(unit: string): Promise<string>;
  /** Switches it off as an administrator does. */
  stop(): Promise<void>;
  /** Switches it on again, with the same disk and nothing plugged in. */
  start(): Promise<void>;
  /** It is started again as an administrator does; what is plugged in stays so. */
  reboot(): Promise<void>;
  /** The power goes and comes back: what was not yet on its disk is lost, what is plugged in stays so. */
  powerCut(): Promise<void>;
}

const BOOT_LIMIT_MS = 600_000;
const UNTIL_LIMIT_MS = 600_000;
const SNAPSHOT = "booted";

/** A guest that has just booted, with nothing of the project on it: that is a tar on its second disk, /dev/vdb. */
export async function openGuest(): Promise<Guest> {
  const { image, booted } = await readyGuest();
  await using made = new AsyncDisposableStack();
  const folder = made.use(await temporaryFolder()).path;
  const places = placesIn(folder);
  await run("cp", ["--reflink=auto", "--sparse=always", booted, places.disk]);
  await writeProject(places.project);
  const guest = guestIn(image, folder, switchOn(image, folder, SNAPSHOT));
  made.defer(() => guest.end());
  await guest.answers();
  // It is as late there as when the snapshot was made.
  await guest.sh(`date -u -s @${systemClock.now() / 1000}`);
  const kept = made.move();
  return { ...guest, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What every guest begins with, made if it is not there: minutes. Two at once would both make it. */
export async function readyGuest(): Promise<{ readonly image: Image; readonly booted: string }> {
  const image = await guestImage();
  return { image, booted: await bootedDisk(image) };
}

/** The disk of a guest with a snapshot of its memory just after it booted, made if there is none for this QEMU. */
async function bootedDisk(image: Image): Promise<string> {
  const { stdout } = await run("qemu-system-x86_64", ["--version"]);
  const how = [stdout, ...machineArguments(image, "/")].join("\n");
  const key = createHash("sha256").update(how).digest("hex").slice(0, 16);
  const disk = join(image.folder, `booted-${key}.qcow2`);
  if (!existsSync(disk)) await boot(image, disk);
  return disk;
}

async function boot(image: Image, disk: string): Promise<void> {
  const folder = await mkdtemp(join(image.folder, "boot-"));
  const places = placesIn(folder);
  try {
    const backing = ["-b", image.disk, "-F", "qcow2"];
    await run("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, places.disk]);
    await writeFile(places.project, "");
    await truncate(places.project, PROJECT_BYTES);
    const guest = guestIn(image, folder, switchOn(image, folder, undefined));
    try {
      await guest.answers();
      await guest.sh("systemctl is-system-running --wait; udevadm settle; sync");
      await guest.sh("echo 3 > /proc/sys/vm/drop_caches");
      const command = { "command-line": `savevm ${SNAPSHOT}` };
      const said = await guest.monitor("human-monitor-command", command);
      if (said !== "") throw new Error(`no snapshot of the guest: ${String(said)}`);
    } finally {
      await guest.end();
    }
    await rename(places.disk, disk);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function guestIn(image: Image, folder: string, first: Machine) {
  const places = placesIn(folder);
  const agent = agentOf(places.agent);
  const monitor: Monitor = monitorOf(places.monitor);
  let machine = first;

  async function answers(): Promise<void> {
    const limit = AbortSignal.timeout(BOOT_LIMIT_MS);
    for (;;) {
      const complaint = machine.complaint();
      if (complaint !== undefined) throw new Error(complaint);
      try {
        await agent.ping();
        return;
      } catch (cause) {
        if (limit.aborted) throw new Error("the guest does not come up", { cause });
        await systemClock.sleep(200, NEVER);
      }
    }
  }

  async function bootId(): Promise<string> {
    await agent.ping();
    return sh("cat /proc/sys/kernel/random/boot_id");
  }

  async function startAgain(how: () => Promise<unknown>): Promise<void> {
    const old = await bootId();
    await how();
    const limit = AbortSignal.timeout(BOOT_LIMIT_MS);
    while ((await bootId().catch(() => old)) === old) {
      if (limit.aborted) throw new Error("the guest does not come back");
      await systemClock.sleep(500, NEVER);
    }
  }

  async function sh(command: string, limitMs?: number): Promise<string> {
    const { code, out, err } = await agent.exec(command, limitMs);
    if (code !== 0) throw new Error(`in the guest, exit code ${code}: ${command}\n${out}${err}`);
    return out;
  }

  async function until(condition: string, limitMs = UNTIL_LIMIT_MS): Promise<string> {
    const limit = AbortSignal.timeout(limitMs);
    for (;;) {
      const { code, out, err } = await agent.exec(condition);
      if (code === 0) return out;
      if (limit.aborted) throw new Error(`never came true: ${condition}\n${out}${err}`);
      await systemClock.sleep(1000, NEVER);
    }
  }

  return {
    ...socketsOf(monitor),
    answers,
    monitor,
    exec: (command: string, limitMs?: number) => agent.exec(command, limitMs),
    sh,
    until,
    put: (path: string, content: Uint8Array | string) => agent.write(path, Buffer.from(content)),
    journal: (unit: string) => sh(`journalctl -b -o cat --no-pager -u ${unit}`),
    async stop() {
      await agent.powerOff();
      await machine.ended;
    },
    reboot: () => startAgain(() => agent.startAnew()),
    powerCut: () => startAgain(() => monitor("system_reset")),
    end: () => machine.kill(),
    async start() {
      machine = switchOn(image, folder, undefined);
      await answers();
    },
  };
}
