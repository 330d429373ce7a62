import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { GOOD_CAMERA } from "../../fakes/configuration.ts";
import { accountOf, asBewaard, CONFIGURED, untilTold } from "../box.ts";
import type { Guest } from "../guest.ts";
import { openInstalled } from "../installed.ts";

const PARTS = ["dock", "record"] as const;
type Part = (typeof PARTS)[number];

const SPOOL = "/srv/bewaard/spool";
const VAULT = "/mnt/bewaard/vault";
const STAND_IN = "/usr/local/bin/taken-part";
/** As many as it tries. */
const TRIES = 79;
const HANDS_OVER = "/usr/local/bin/hands-over";

/** What a box has that these two are not to have, and a port that answers on each of its addresses. */
const MADE = `
set -e
# QEMU's agent makes files that anybody may write.
chmod 644 /etc/bewaard/bewaard.yaml
systemctl start bewaard-record.service
secret() { install -o $1 -g $1 -m 600 /dev/stdin $2 <<< secret; }
secret bewaard /var/lib/bewaard/vault.credential
secret bewaard-record /var/lib/bewaard-record/cam-0001.password
install -d -o bewaard -g bewaard -m 700 ${VAULT}/desk
ip link set lo up
ip address add 192.0.2.1/32 dev lo
systemd-run -q --unit=anybody perl -MIO::Socket::INET -e \
  'my $s = IO::Socket::INET->new(Listen => 9, LocalPort => 7777) or die $!; 1 while $s->accept'
until (: < /dev/tcp/127.0.0.1/7777) 2> /dev/null; do sleep 0.2; done
cat > /usr/local/share/parts-of-all << END
state /var/lib/bewaard
catalog /var/lib/bewaard/catalog.db
log /var/lib/bewaard/catalog.db-wal
key /var/lib/bewaard/node.key
credential /var/lib/bewaard/vault.credential
password /var/lib/bewaard-record/cam-0001.password
control /var/lib/bewaard/control.sock
live /var/lib/bewaard-record/live.sock
vault ${VAULT}
spool ${SPOOL}
segments ${SPOOL}/segments
quarantine ${SPOOL}/quarantine
lease ${SPOOL}/lease
incoming ${SPOOL}/incoming
dock ${SPOOL}/incoming/dock
record ${SPOOL}/incoming/record
port 7777
address 192.0.2.1
pid $(systemctl show bewaard -P MainPID)
core $(id -u bewaard)
END
`;

const PLACES = [
  ["bewaard", `${SPOOL}/segments`],
  ["bewaard", VAULT],
  ["bewaard-dock", `${SPOOL}/incoming/dock`],
  ["bewaard-record", `${SPOOL}/incoming/record`],
];
/** What was done to them before is done again. */
const footage = (part: Part): string => `
set -e
${PLACES.map(([user, path]) => `for name in first second third fourth; do install -o ${user} -g ${user} -m 644 /dev/stdin ${path}/$name <<< footage; done`).join("\n")}
(cat /usr/local/share/parts-of-all; echo own ${SPOOL}/incoming/${part}) > /usr/local/share/parts
`;
const FILES = ["first", "second", "third", "fourth"];
const allBut = (part: Part): readonly string[] =>
  PLACES.map(([, path = ""]) => path).filter((path) => !path.endsWith(`/${part}`));

const byUser = (user: string): string => `systemd-run -q --pipe --wait -p User=${user} ${STAND_IN}`;
/** In its own unit, with all that this says, in the place of what it starts. */
const instead = (part: Part, type: "oneshot" | "exec", starts: string): string => `
set -e
folder=/run/systemd/system/bewaard-${part}.service.d
mkdir -p $folder
cat > $folder/taken-over.conf << END
[Service]
Type=${type}
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=${starts}
StandardOutput=truncate:/run/said
END
systemctl daemon-reload
systemctl restart bewaard-${part}.service
rm -r $folder
systemctl daemon-reload
`;
const inUnit = (part: Part): string => `${instead(part, "oneshot", STAND_IN)}cat /run/said`;

/** Of those of core none, but what follows from a file's being its own, and whom it may ask. */
const MAY: Readonly<Record<Part, readonly string[]>> = {
  dock: ["ask as the dock", "have ffprobe started"],
  record: ["ask as the recorder", "have ffmpeg started", "read the password"],
};
const ownOf = (part: Part): readonly string[] => [
  ...["create", "overwrite", "rename", "truncate", "unlink"].map((does) => `${does} in ${part}`),
  `link to what is in ${part}`,
  `list ${part}`,
  `lock the lease of ${part}`,
  `take from ${part}`,
];
/** A recorder has a network: its cameras'. An administrator's IPAddressDeny= says which. */
const NETWORK = ["reach another address", "reach loopback", "send a datagram"];
/** It is no more than any user of a machine may do. */
const WITHOUT_WALLS = [
  "find core",
  "leave a file that has the rights of who made it",
  "make a namespace",
];
/** What core's user may not either: what is root's, or a part's own. */
const NOT_CORES = [
  "become root",
  "have ffmpeg started",
  "have ffprobe started",
  ...PARTS.flatMap((part) => [
    `link to what is in ${part}`,
    `lock the lease of ${part}`,
    `overwrite in ${part}`,
    `truncate in ${part}`,
  ]),
  "read the password",
  "report for the helper",
  "rewrite the configuration",
];

/** Of each part, what it hands over: an id for each. */
const HANDED: Readonly<Record<Part, string>> = {
  dock: "01J0000000000000000000000D",
  record: "01J0000000000000000000000R",
};
/** Of which camera: core believes each of its own only. */
const OF: Readonly<Record<Part, string>> = { dock: "bc-0101", record: GOOD_CAMERA.number };
const handsOver = (part: Part): string =>
  instead(
    part,
    "exec",
    `${HANDS_OVER} ${part} ${SPOOL}/incoming/${part} ${OF[part]} ${HANDED[part]}`,
  );
const POLICY = "/etc/bewaard/own-policy.yaml";
const SHIPPED = new URL("../../../config/policies/den-haag.yaml", import.meta.url);
/** Has core know a camera in a building, of which no real recorder records here. */
const HUNG = `
set -e
sed -i 's|^policy: .*|policy: ${POLICY}|' ${CONFIGURED}
cat >> ${CONFIGURED} << END
${stringify({ cameras: [GOOD_CAMERA] })}END
chmod 644 ${POLICY} ${CONFIGURED}
systemctl restart bewaard
`;
const WRITES_INTO_IT = PARTS.map(
  (part) => `
systemctl kill -s USR1 bewaard-${part}.service
while systemctl is-active -q bewaard-${part}.service; do sleep 0.2; done`,
).join("\n");

describe("a dock or a recorder that was taken over", () => {
  const stack = new AsyncDisposableStack();
  let guest: Guest;

  before(async () => {
    guest = stack.use(await openInstalled());
    await guest.sh(MADE);
    await guest.put(STAND_IN, await readFile(new URL("../taken-part.pl", import.meta.url)));
    await guest.put(HANDS_OVER, await readFile(new URL("../hands-over.pl", import.meta.url)));
    await guest.sh(`chmod 755 ${STAND_IN} ${HANDS_OVER}`);
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
  });
  after(() => stack.disposeAsync());

  async function tried(part: Part, command: string) {
    await guest.sh(footage(part));
    const said = await guest.sh(command);
    const all = [...said.matchAll(/^(.+): (.+)$/gm)];
    const of = (isDone: boolean): readonly string[] =>
      all.filter(([, , how]) => (how === "done") === isDone).map(([, name = ""]) => name);
    return { done: of(true), not: of(false) };
  }

  async function untouched(part: Part): Promise<void> {
    for (const path of allBut(part))
      await guest.sh(
        `cd ${path} && [ "$(cat ${FILES.join(" ")})" = "$(yes footage | head -n 4)" ]`,
      );
  }

  it("could do, as core's user, nearly all that it tries", async () => {
    const { not } = await tried("dock", byUser("bewaard"));
    assert.deepEqual(not, NOT_CORES.toSorted());
  });

  for (const part of PARTS) {
    it(`reaches as ${part}, in its own unit, what it hands over and whom it asks, and nothing of core or of the other`, async () => {
      const { done, not } = await tried(part, inUnit(part));
      const more = part === "record" ? NETWORK : [];
      assert.deepEqual(done, [...MAY[part], ...ownOf(part), ...more].toSorted());
      assert.equal(done.length + not.length, TRIES);
      await untouched(part);
    });

    it(`is kept from core and from the other as user of the ${part}, without the walls of its unit`, async () => {
      const { done } = await tried(part, byUser(`bewaard-${part}`));
      const open = new Set([...MAY[part], ...ownOf(part), ...NETWORK, ...WITHOUT_WALLS]);
      assert.deepEqual(
        done.filter((one) => !open.has(one)),
        [],
      );
      await untouched(part);
    });
  }

  it("is found, and its footage not stored, once it writes into what core has adopted of it", async () => {
    await guest.sh(PLACES.map(([, path]) => `cd ${path} && rm -f ${FILES.join(" ")}`).join("\n"));
    const policy = await readFile(SHIPPED, "utf8");
    const building = `buildings: [{ name: ${GOOD_CAMERA.building}, manager: teamleider }]`;
    await guest.put(POLICY, policy.replace("buildings: []", building));
    await guest.sh(HUNG);
    await guest.sh(`mv ${VAULT} ${VAULT}.away`);
    for (const part of PARTS) {
      await guest.sh(handsOver(part));
      await untilTold(guest, "adopted", 1, { SEGMENT: HANDED[part] });
    }
    await guest.sh(WRITES_INTO_IT);
    await guest.sh(`mv ${VAULT}.away ${VAULT} && systemctl restart bewaard`);
    for (const part of PARTS)
      await untilTold(guest, "unsafe", 1, { SEGMENT: HANDED[part], CODE: "VAULT_CORRUPT" });
    const { code, out } = await guest.exec(asBewaard("bewaard verify --depth hashes"));
    assert.equal(code, 1);
    for (const part of PARTS)
      assert.match(
        out,
        new RegExp(`${HANDED[part]} in the spool is not the bytes that were sealed`),
      );
  });
});
