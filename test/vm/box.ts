import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { systemClock } from "#base/system-clock";
import { dayOf } from "#base/time";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import type { Guest } from "./guest.ts";
import { INTERPRETED, PACKAGE } from "./packed.ts";

/** The folder that stands for the dock of bc-0101. */
export const DOCK = "/srv/bewaard/dock-1";

export const CONFIGURED = "/etc/bewaard/bewaard.yaml";
/** Where docs/install.md puts things on a box that runs as a service. */
const CONFIGURATION = {
  site: { name: "den-haag-handhaving" },
  node: "dock-1",
  policy: "den-haag",
  informed_on: dayOf(systemClock.now()),
  state: "/var/lib/bewaard",
  spool: { path: "/srv/bewaard/spool", limit: "1 GB", keep_free: "100 MB" },
  vault: { directory: "/mnt/bewaard/vault" },
  recipients: "/etc/bewaard/recipients.txt",
  desk_signers: "/etc/bewaard/desk.signers",
  bodycams: [
    {
      number: "bc-0101",
      folder: DOCK,
      profile: "generic-dcim-synchronised",
      paired: dayOf(systemClock.now()),
    },
  ],
};

/** A profile of the site's own: of a camera whose clock a file on its card sets. */
export const OWN_PROFILE = "/etc/bewaard/own-camera.yaml";
const GENERIC = new URL("../../config/profiles/generic-dcim.yaml", import.meta.url);
const SETS_CLOCK = `
set_time:
  path: TIME.TXT
  template: "{year}-{month}-{day} {hour}:{minute}:{second}\\n"
  line_end: crlf
  zone: Europe/Amsterdam
`;

/** An emulated processor on a busy machine: slowness must never look like a failure. */
const PATIENCE = "[Service]\nTimeoutStartSec=600\nTimeoutStopSec=600\n";
const PATIENT = "/etc/systemd/system/bewaard-media@.service.d";

/** By way of memory: an emulated disk would write it twice. */
const PACKED = `
set -e
mkdir /dev/shm/packed
tar -xf /dev/vdb -C /dev/shm/packed --no-same-owner
dpkg --force-unsafe-io --install /dev/shm/packed/${PACKAGE}
cd /usr/lib/bewaard/node_modules/.bin
node=$(realpath node)
rm node
printf '#!/bin/sh\\nexec %s ${INTERPRETED} "$@"\\n' $node > node
chmod 755 node
`;

const FOLDERS = `
set -e
mkdir ${PATIENT}
install -d -o bewaard -g bewaard -m 700 /srv/bewaard/spool /mnt/bewaard
install -d -o bewaard -g bewaard ${DOCK}/DCIM
`;

/** What services and the helper would compile at their first starts, for Node calls such folders by whose they are. */
const COMPILED = `
set -e
cd /dev/shm/packed/compiled
for user in bewaard bewaard-dock; do
  chown -R $user:$user $user
  for one in $user/*-0; do mv $one \${one%0}$(id -u $user); done
done
mv bewaard bewaard-dock bewaard-helper /var/cache
rm -r /dev/shm/packed
`;

const ACCOUNT = `
date -u +%FT%TZ; cat /proc/loadavg
systemctl list-units --all --no-legend --no-pager 'bewaard*'
find /var/lib/bewaard/orders /run/bewaard /var/lib/bewaard-helper/used -type f
grep -r . /run/bewaard/cards /run/bewaard/reports
findmnt -t vfat,exfat,fuse.jmtpfs
journalctl -b --no-pager -o short-precise -k -n 40
journalctl -b --no-pager -o short-precise -u 'bewaard*'
`;

/** Makes a box of the guest from the package, and starts it: docs/install.md without its questions, whose answers would take minutes here. The two files of a desk come from a machine that is not the box. */
export async function installBox(guest: Guest): Promise<void> {
  await using desk = await temporaryFolder();
  const [{ config }] = await Promise.all([
    makeDemoSite(systemClock, desk.path, ["bc-0101"], 3, NEVER),
    guest.sh(PACKED),
  ]);
  await guest.sh(FOLDERS + COMPILED);
  await guest.put(CONFIGURED, stringify(CONFIGURATION));
  await guest.put(CONFIGURATION.recipients, await readFile(config.recipients));
  await guest.put(CONFIGURATION.desk_signers, await readFile(config.desk_signers));
  await guest.put(`${PATIENT}/slow.conf`, PATIENCE);
  await guest.put(OWN_PROFILE, (await readFile(GENERIC, "utf8")) + SETS_CLOCK);
  await guest.sh("/usr/lib/bewaard/systemd/node-key.sh && systemctl daemon-reload");
  await guest.sh("systemctl enable -q --now bewaard.service bewaard-dock.service");
  await guest.until(`[ -S ${CONFIGURATION.state}/control.sock ]`);
}

/** The command `bewaard …` or `bewaarctl …` as the user whom core runs as. */
export function asBewaard(command: string): string {
  const [program, ...rest] = command.split(" ");
  const compiled = "env NODE_COMPILE_CACHE=/var/cache/bewaard";
  return `runuser -u bewaard -- ${compiled} ${program} --config ${CONFIGURED} ${rest.join(" ")}`;
}

/** What of an event is asked for, as its fields are called there: `DEVICE` for `BEWAARD_DEVICE`. */
export type Told = Readonly<Record<string, string>>;

/** The lines of the box's parts of one event since the guest booted, with these values in its fields. */
export function linesOf(event: string, fields: Told = {}): string {
  const wanted = Object.entries({ EVENT: event, ...fields });
  const matches = wanted.map(([name, value]) => `'BEWAARD_${name}=${value}'`).join(" ");
  return `journalctl -b -o json --no-pager ${matches}`;
}

/** Waits until a part has told of `event` so many times since the guest booted, with `fields` in it. */
export async function untilTold(
  guest: Guest,
  event: string,
  times = 1,
  fields: Told = {},
): Promise<void> {
  await untilLines(guest, linesOf(event, fields), times);
}

/** Waits until `journalctl`, a command that shows lines of the journal, shows so many. */
export async function untilLines(guest: Guest, journalctl: string, times: number): Promise<void> {
  // The command has not ended before the journal that it follows has: that would go on until its next line.
  await guest.sh(
    `exec 3< <(exec ${journalctl} -f -n all); follower=$!; grep -m ${times} . <&3; found=$?; kill $follower; exit $found`,
  );
}

/** What a person needs who asks why the box did not do as it should: what its units said since it booted, and what lies between them. */
export async function accountOf(guest: Guest): Promise<string> {
  const { out } = await guest.exec(ACCOUNT);
  return out;
}
