import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { systemClock } from "#base/system-clock";
import { dayOf } from "#base/time";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import type { Guest } from "./guest.ts";

/** The folder that stands for the dock of bc-0101. */
const DOCK = "/srv/bewaard/dock-1";

/** Where docs/operations.md puts things on a box that runs as a service. */
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

/** The installation of docs/operations.md, "As a service", but for what asks the network. */
const INSTALLATION = `
set -e
mkdir -p /opt/bewaard
tar -xf /dev/vdb -C /opt/bewaard --no-same-owner
cd /opt/bewaard
adduser --quiet --system --group --home /var/lib/bewaard bewaard
install -d -o bewaard -g bewaard -m 700 /srv/bewaard /mnt/bewaard
install -d -o bewaard -g bewaard ${DOCK}/DCIM
${asBewaard("bewaard setup")}
install -m 644 systemd/bewaard.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable -q --now bewaard.service
`;

/** Makes a box of the guest, and starts it. The two files of a desk come from a machine that is not the box. */
export async function installBox(guest: Guest): Promise<void> {
  await using desk = await temporaryFolder();
  const { config } = await makeDemoSite(systemClock, desk.path, ["bc-0101"], 3, NEVER);
  await guest.sh("mkdir /etc/bewaard");
  await guest.put("/etc/bewaard/bewaard.yaml", stringify(CONFIGURATION));
  await guest.put(CONFIGURATION.recipients, await readFile(config.recipients));
  await guest.put(CONFIGURATION.desk_signers, await readFile(config.desk_signers));
  await guest.sh(INSTALLATION);
}

/** The command `bewaard …` or `bewaarctl …` as the user whom the box runs as. */
export function asBewaard(command: string): string {
  const [program, ...rest] = command.split(" ");
  const node = "/opt/bewaard/node_modules/.bin/node";
  const cli = `/opt/bewaard/daemon/cli/${program}.ts --config /etc/bewaard/bewaard.yaml`;
  return `runuser -u bewaard -- env NODE_COMPILE_CACHE=/tmp/compiled ${node} ${cli} ${rest.join(" ")}`;
}

/** Waits until the service has told of `event` so many times since the guest booted; resolves to those lines. */
export function untilTold(guest: Guest, event: string, times = 1): Promise<string> {
  const lines = "journalctl -b -u bewaard -o cat --no-pager -f -n all";
  return guest.sh(`grep -F -m ${times} '"event":"${event}"' < <(${lines})`);
}

/** Copies what is on a card into the dock's folder, whole from one moment to the next, and takes the card out again. */
export async function bring(guest: Guest, image: string): Promise<void> {
  await guest.plug("carrier", image, { serial: "CARRIER", port: "8", readOnly: true });
  await guest.until("[ -b /dev/sda1 ]");
  await guest.sh(`
    mkdir -p /media/carrier
    mount -o ro /dev/sda1 /media/carrier
    cp -r /media/carrier/. ${DOCK}.partial
    umount /media/carrier
    mv ${DOCK}.partial/DCIM/100MEDIA ${DOCK}/DCIM/$(date +%s)MEDIA
    rm -r ${DOCK}.partial
    sync
  `);
  await guest.unplug("carrier");
}
