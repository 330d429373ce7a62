import { execFile } from "node:child_process";
import { mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { systemClock } from "#base/system-clock";
import { dayOf } from "#base/time";
import { makeFilm, SMALL_FILM } from "../../../daemon/demo/simulated-clips.ts";
import { makeDemoSite } from "../../../daemon/demo/site.ts";
import { makePackage } from "../../../packaging/package.ts";
import { temporaryFolder } from "../../fakes/folder.ts";
import { blocksOf } from "../../fakes/page-blocks.ts";
import { NEVER } from "../../fakes/rig.ts";
import { PROJECT_BYTES } from "../machine.ts";

const run = promisify(execFile);

/** As a camera sends it that nobody looks at: an emulated processor has to send it, too. */
const FILM = { ...SMALL_FILM, size: "320x180", framesPerSecond: 5, gop: 5 };
const LOGIN = { user: "bewaard", password: "alleen in deze test" };
/** Where the guest has what was brought, and the program out of the package, which is the camera before it is installed. */
const BROUGHT = "/srv/brought";
const PACKAGE = "bewaard_1_amd64.deb";
/** In a folder of its own, for an administrator types `./bewaard_*_amd64.deb`. */
const NEXT = "next/bewaard_2_amd64.deb";
const CAMERA = `
import { writeFile } from "node:fs/promises";
const from = "${BROUGHT}/program/usr/lib/bewaard/daemon/";
const { systemClock } = await import(from + "base/system-clock.js");
const { startCamera } = await import(from + "demo/simulated-camera.js");
const { videoOf } = await import(from + "demo/simulated-video.js");
const video = await videoOf("${BROUGHT}/film.264", "h264", ${FILM.framesPerSecond});
const settings = { video, sound: undefined, scheme: "digest", tls: undefined, ...${JSON.stringify(LOGIN)} };
const camera = await startCamera(systemClock, settings);
await writeFile("/run/camera.url", camera.url);
`;

/** Writes `path`, one tar: the package of this checkout, not compressed, and the one after it; what the desk gave; a film, and the camera that shows it. */
export async function writeBrought(path: string): Promise<void> {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await rename(await makePackage(at("made"), { with: "none", level: 0 }), at(PACKAGE));
  await mkdir(at(dirname(NEXT)));
  await makeNext(at(PACKAGE), at(NEXT), at("unpacked"));
  await rename(await makeFilm(folder.path, FILM), at("film.264"));
  const { config } = await makeDemoSite(systemClock, at("made"), [], 3, NEVER);
  await writeFile(at("recipients.txt"), await readFile(config.recipients));
  await writeFile(at("desk.signers"), await readFile(config.desk_signers));
  await writeFile(at("password"), `${LOGIN.password}\n`);
  await writeFile(at("camera.mjs"), CAMERA);
  const names = [PACKAGE, NEXT, "film.264", "recipients.txt", "desk.signers", "password"];
  await run("tar", ["-cf", path, "-C", folder.path, ...names, "camera.mjs"]);
  await truncate(path, PROJECT_BYTES);
}

/** What the next commit would give, had it changed nothing: a package of the same files with a later version. */
async function makeNext(made: string, next: string, root: string): Promise<void> {
  await run("dpkg-deb", ["-R", made, root]);
  const control = join(root, "DEBIAN/control");
  const text = await readFile(control, "utf8");
  await writeFile(control, text.replace(/^Version: .*$/m, "$&.1"));
  await run("dpkg-deb", ["-Znone", "--root-owner-group", "--build", root, next]);
}

/**
 * On the guest, before anything is installed there: a camera on its wall, and a journal that forgets nothing when the disk is full. Nobody
 * sits there to say yes to apt, and to wait for an emulated disk after each file would show nothing: no power goes here.
 */
export const HANG_CAMERA = `
set -e
echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/yes
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/unsafe-io
printf '[Journal]\\nSystemKeepFree=1M\\nSystemMaxUse=200M\\n' > /etc/systemd/journald.conf.d/full.conf
systemctl restart systemd-journald
mkdir ${BROUGHT}
tar -xf /dev/vdb -C ${BROUGHT} --no-same-owner
chmod 600 ${BROUGHT}/password
dpkg-deb -x ${BROUGHT}/${PACKAGE} ${BROUGHT}/program
ip link set lo up
systemd-run -q --unit=camera ${BROUGHT}/program/usr/lib/bewaard/node_modules/.bin/node ${BROUGHT}/camera.mjs
until [ -s /run/camera.url ]; do sleep 0.2; done
cat /run/camera.url
`;

/** What `bewaard setup` would ask, with a camera, and with what the desk gave to the boxes that this site has. */
export function answersWith(url: string): string {
  const day = dayOf(systemClock.now());
  return stringify({
    site: "arnhem-stadhuis",
    node: "nvr-1",
    policy: "arnhem",
    informed_on: day,
    limit: "500 MB",
    keep_free: "100 MB",
    recipients: `${BROUGHT}/recipients.txt`,
    signers: `${BROUGHT}/desk.signers`,
    // AR-20 asks for one; here it is a folder.
    secured: { directory: "/media/veilig", medium: "usb-schijf", serial: "TEST-1" },
    secrets: { "cam-0001.password": `${BROUGHT}/password` },
    cameras: [
      {
        number: "cam-0001",
        url,
        user: LOGIN.user,
        room: "balie",
        building: "stadhuis",
        paired: day,
        notice: { confirmed_on: day, by: "clustermanager-vastgoed" },
        necessity: { note: "Laten zien wat bewaard doet.", dpia: "TEST-1" },
      },
    ],
  });
}

/** Where the page has disks mounted. */
const MOUNTED = "install -d -o bewaard -g bewaard -m 700 /media/veilig";

/** From a package to a box that records: these sections of docs/install.md, to the letter. */
export async function installed(): Promise<string> {
  const [install, configure, start] = await Promise.all(
    ["Install it", "Configure", "Cameras in buildings"].map(typed),
  );
  return `set -e; cd ${BROUGHT}\n${install}\n${MOUNTED}\n${configure}\n${start}`;
}

/** As an administrator does it, with what is recorded going on; the page ends with what `check` says, which is for who reads. */
export async function upgraded(): Promise<string> {
  return `cd ${BROUGHT}/${dirname(NEXT)}\n${await typed("Upgrade")}`;
}

/** Takes the package away; and then all that it kept. */
export async function removed(): Promise<readonly string[]> {
  return (await blocksOf("install.md", "Remove")).map((block) => `set -e\n${block}`);
}

async function typed(section: string): Promise<string> {
  return (await blocksOf("install.md", section)).join("\n");
}
