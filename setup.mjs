// Makes a machine that has only Node, git and apt ready for `npm run demo` and `npm test`, before
// which npm runs it. Leaves alone what is there. Imports nothing of others and runs on any Node,
// because it comes before everything else, also before the Node 24 that the project brings.

/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return -- no types: plain JavaScript */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { setInterval } from "node:timers";
import { fileURLToPath } from "node:url";

// command, Debian package, what for
const TOOLS = [
  ["age", "age", "opens sealed footage without bewaard"],
  ["ffmpeg", "ffmpeg", "makes the clips of the demo, cuts time windows"],
  ["prlimit", "util-linux", "limits what ffmpeg may do"],
  ["ps", "procps", "looks at what runs, in the tests"],
  ["script", "bsdutils", "is a terminal, in the tests"],
  ["ssh-keygen", "openssh-client", "signs, and checks signatures"],
  ["openssl", "openssl", "checks timestamps, and proofs without bewaard"],
  ["python3", "python3", "checks proofs without bewaard"],
];
// Only root may mount a disk, and only the long tests cut its power.
const DISKS = [
  ["xfs_io", "xfsprogs", "cuts the power of a disk, in the long tests"],
  ["mkfs.ext4", "e2fsprogs", "makes a disk for that"],
];
// Real servers that `npm run test:peers` starts.
const PEERS = [
  ["chronyd", "chrony", "serves time, in the tests"],
  ["strace", "strace", "watches which files are written, in the tests"],
  ["ceph-mon", "ceph-mon", "is object storage, in the tests"],
  ["ceph-osd", "ceph-osd", "is object storage, in the tests"],
  ["radosgw", "radosgw", "speaks S3 for it, in the tests"],
  ["ceph", "ceph-common", "sets it up, in the tests"],
  ["lintian", "lintian", "judges the package, in the tests"],
  ["systemd-sysusers", "systemd", "makes the package's user, in the tests"],
];
// The machine that `npm run test:vm` starts, its disk, and the cards that go into it.
const MACHINE = [
  ["qemu-system-x86_64", "qemu-system-x86", "is a machine with USB sockets, in the tests"],
  ["qemu-img", "qemu-utils", "makes its disk"],
  ["mmdebstrap", "mmdebstrap", "puts Debian on it"],
  ["mke2fs", "e2fsprogs", "puts Debian on it"],
  ["depmod", "kmod", "makes its kernel start"],
  ["busybox", "busybox-static", "makes its kernel start"],
  ["cpio", "cpio", "makes its kernel start"],
  ["xz", "xz-utils", "makes its kernel start"],
  ["zstd", "zstd", "makes its kernel start"],
  ["sfdisk", "fdisk", "makes cards of cameras"],
  ["mkfs.vfat", "dosfstools", "makes cards of cameras"],
  ["mkfs.exfat", "exfatprogs", "makes cards of cameras"],
  ["mcopy", "mtools", "makes cards of cameras"],
];
// Has no command.
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const KEYS = "debian-archive-keyring";
const DEBIAN = [KEYS, KEYS, "tells Debian's packages from others"];
// What uploads are measured against.
const BENCH = [["rclone", "rclone", "uploads too, to compare with"]];
const BENCHING = process.env.npm_lifecycle_event === "prebench";
// gst-rtsp-server as Debian's own Python loads it: no commands, so one program asks for all of them.
const CAMERAS = [
  "python3-gi",
  "gir1.2-gst-rtsp-server-1.0",
  "gir1.2-gst-plugins-base-1.0",
  "gstreamer1.0-plugins-base",
  "gstreamer1.0-plugins-good",
  "gstreamer1.0-plugins-bad",
].map((name) => [name, name, "serves cameras, in the tests"]);
const SERVES_CAMERAS = `
import gi
for name in ("Gst", "GstApp", "GstRtsp", "GstRtspServer"): gi.require_version(name, "1.0")
from gi.repository import Gst, GstApp, GstRtsp, GstRtspServer
Gst.init(None)
assert all(Gst.ElementFactory.find(name) for name in ("appsrc", "qtdemux", "rtph264pay", "h265parse"))
`;
const COMPILER = ["g++", "make"].map((name) => [name, name, "compiles sqlite3"]);

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const BIN = resolve("node_modules", ".bin");
const NODE24 = `node-linux-${process.arch}`;
const SQLITE3 = join("node_modules", "sqlite3");

await setUp().catch((error) => {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
});

async function setUp() {
  if (process.platform !== "linux") throw new Error("bewaard needs Linux");
  if (!packagesMatchLock()) await installPackages();
  checkNode24();
  const compiles = !sqlite3Loads() && !(await fetchSqlite3());
  const disks = process.argv.includes("--long") && process.getuid() === 0 ? DISKS : [];
  const asked = process.argv.includes("--peers");
  const cameras = asked && !servesCameras() ? CAMERAS : [];
  const peers = asked ? [...PEERS, ...cameras, ...(BENCHING ? BENCH : [])] : [];
  const debian = existsSync(KEYRING) ? [] : [DEBIAN];
  const machine = process.argv.includes("--vm") ? [...MACHINE, ...debian] : [];
  await installTools([...TOOLS, ...disks, ...peers, ...machine, ...(compiles ? COMPILER : [])]);
  if (compiles) await compileSqlite3();
}

/** Debian's Python, not the one that may come first in PATH: only it finds Debian's modules. */
function servesCameras() {
  return spawnSync("/usr/bin/python3", ["-c", SERVES_CAMERAS]).status === 0;
}

/** Compares package-lock.json with npm's own record of what it installed. */
function packagesMatchLock() {
  const record = join("node_modules", ".package-lock.json");
  if (!existsSync(record) || !existsSync(join("node_modules", NODE24))) return false;
  const { packages: installed } = JSON.parse(readFileSync(record, "utf8"));
  const { packages: locked } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  delete locked[""]; // the project itself
  // What is optional and not here is for another kind of machine.
  return Object.entries(locked).every(([path, { version, optional }]) =>
    installed[path] === undefined ? optional : installed[path].version === version,
  );
}

async function installPackages() {
  // No install scripts: only sqlite3 has one, see below. "error" spares warnings of packages about an
  // old Node: they will not run on it.
  const what = ["ci", "--include=dev", "--include=optional"];
  const how = ["--ignore-scripts", "--no-audit", "--loglevel=error"];
  await run("installing packages with npm", "npm", [...what, ...how]);
}

function checkNode24() {
  const program = join("node_modules", NODE24, "bin", "node");
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  if (!stdout?.startsWith("v24."))
    throw new Error(`package ${NODE24} does not run on this machine`);
  // npm 10 and older lose the link when they clear away the package for the other processor.
  if (!existsSync(join(BIN, "node"))) symlinkSync(`../${NODE24}/bin/node`, join(BIN, "node"));
}

function sqlite3Loads() {
  return spawnSync(join(BIN, "node"), ["-e", "require('sqlite3')"]).status === 0;
}

/** Spares a compiler and some minutes, where GitHub can be reached and the C library is new enough. */
async function fetchSqlite3() {
  const arrives = run("fetching sqlite3 ready-made", "prebuild-install", ["-r", "napi"], SQLITE3);
  return arrives.then(sqlite3Loads, () => false);
}

async function compileSqlite3() {
  // The headers come with Node 24: nothing to download. By environment, where it also
  // replaces what ~/.npmrc says of the Node that started npm.
  const env = { npm_config_nodedir: resolve("node_modules", NODE24), npm_config_jobs: "max" };
  await run("compiling sqlite3 (two to four minutes)", "node-gyp", ["rebuild"], SQLITE3, env);
  if (!sqlite3Loads()) throw new Error("sqlite3 was compiled, but Node 24 does not load it");
}

async function installTools(tools) {
  const missing = tools.filter(([command]) => !isInstalled(command));
  if (missing.length === 0) return;
  for (const [, name, purpose] of missing) console.log(`setup: missing: ${name} (${purpose})`);
  const names = missing.map(([, name]) => name);
  const isRoot = process.getuid() === 0;
  if (!isInstalled("apt-get") || (!isRoot && spawnSync("sudo", ["-n", "true"]).status !== 0)) {
    const command = `apt-get install --no-install-recommends ${names.join(" ")}`;
    throw new Error(`type this, then try again:\n  sudo apt-get update && sudo ${command}`);
  }
  const become = [...(isRoot ? [] : ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive"];
  const apt = (doing, ...args) => run(doing, become[0], [...become.slice(1), "apt-get", ...args]);
  // If one list of a third party cannot be read, what is needed may still be found.
  await apt("updating the lists of apt", "update", "-qq").catch((e) => console.error(e.message));
  // A fresh machine may be updating itself: waits for it.
  const options = ["-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  await apt(`installing ${names.join(", ")} with apt`, "install", ...options, ...names);
}

function isInstalled(command) {
  return process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, command)));
}

/** Says what it is doing, gives a sign of life, and shows what the command printed only if it fails. */
async function run(doing, command, args, cwd = ".", extra = {}) {
  console.log(`setup: ${doing} ...`);
  const env = { ...process.env, PATH: BIN + delimiter + process.env.PATH, ...extra };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const signOfLife = setInterval(() => console.log(`setup: still ${doing} ...`), 15_000);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (printed += text));
  }
  try {
    const [code] = await once(child, "close"); // throws if there is no such command
    if (code !== 0) throw new Error(`${doing} failed:\n${printed}`);
  } finally {
    clearInterval(signOfLife);
  }
}
