import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { makePackage } from "../../packaging/package.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { blocksOf } from "../fakes/page-blocks.ts";

const run = promisify(execFile);

/** A copy of this machine in memory, seen from here alone, in which the package may be installed for real. systemd does not run in it. */
const MACHINE = fileURLToPath(new URL("throwaway-machine.sh", import.meta.url));
/** What `bewaard setup` makes besides, of the box and of a tenant. */
const BY_SETUP = [
  "/etc/credstore.encrypted/bewaard.node.key",
  "/etc/credstore.encrypted/bewaard-museum.vault.credential",
  "/etc/systemd/system/bewaard.service.d/credentials.conf",
  "/etc/systemd/system/bewaard@museum.service.d/credentials.conf",
  "/etc/sysusers.d/bewaard-museum.conf",
  "/etc/tmpfiles.d/bewaard-museum.conf",
];
const KEPT = `/var/lib/bewaard/catalog.db /srv/bewaard/spool/a.age /etc/bewaard/bewaard.yaml ${BY_SETUP.join(" ")}`;
const USED = `
mkdir -p /srv/bewaard/spool
for path in ${KEPT}; do mkdir -p "$(dirname $path)"; touch $path; done
`;
/** How much of 10 each may be exposed; those that mount cards must have the right to, in the machine's own view. */
const EXPOSED = {
  "bewaard.service": 1,
  "bucket ./bewaard.service": 1.3,
  "bewaard-dock.service": 1,
  "bewaard-record.service": 1.3,
  // Of tenants.
  "bewaard@.service": 1,
  "bewaard-dock@.service": 1,
  "bewaard-record@.service": 1.3,
  "bewaard-orders.service": 2,
  "bewaard-media@.service": 4,
  "bewaard-mtp@.service": 4,
  "bewaard-paired.service": 1,
  "bewaard-again@.service": 1,
  "bewaard-metrics.service": 0.3,
  "bewaard-metrics@.service": 0.3,
  "bewaard-ffmpeg@.service": 0.6,
  "bewaard-ffmpeg-museum@.service": 0.6,
  "bewaard-ffprobe@.service": 0.3,
};
/** The units that systemd has made for a tenant are in the folder then. */
const A_TENANTS = `
      mkdir -p /etc/sysusers.d
      touch /etc/sysusers.d/bewaard-museum.conf
      ../system-generators/bewaard-tenants .
`;
const ASKED = "echo 'destroy all that bewaard keeps on this machine' > /etc/bewaard/purge";

const CEREMONY = `
ssh-keygen -q -t ed25519 -C p-01 -N "" -f sign-key
for officer in 1 2; do age-keygen -o $officer.key 2> /dev/null; done
bewaarctl desk --dir desk init --site den-haag-handhaving --person p-01 --sign-key /tmp/keys/sign-key \\
  --vault /mnt/bewaard/vault --node "$(cat /etc/bewaard/node.vkey)" --days 40 \\
  --officer "$(age-keygen -y 1.key)" "$(age-keygen -y 2.key)" > /dev/null
`;

/** What systemd and apt would do: nothing is booted here, and there is no network. */
const SYSTEMD_AWAY = `
set +e
cd "$(dirname "$1")"
pids=
apt() { [ "$1" = install ] && dpkg --install $2 || dpkg --$1 $2; }
as_bewaard() { setpriv --reuid=bewaard --regid=bewaard --clear-groups sh -c "$*"; }
stop_all() { for pid in $pids; do kill $pid; wait $pid; done; pids=; }
trap stop_all EXIT
systemctl() {
  [ "$1 $2" = "enable --now" ] || { command systemctl "$@"; return; }
  shift 2
  command systemctl enable "$@"
  for unit in "$@"; do
    says() { sed -n "s/^$1=//p" /usr/lib/systemd/system/$unit; }
    setpriv --reuid=$(says User) --regid=$(says Group) --init-groups env $(says Environment) $(says ExecStart) \
      2>> /root/journal > /dev/null < /dev/null &
    pids="$pids $!"
  done
  # Until it says READY, for as long as its unit allows.
  for i in $(seq 600); do bewaarctl status > /dev/null 2>&1 && return; sleep 0.5; done
}
`;

/** What `bewaard setup` is told of a box whose name is an option, in a file. */
const ANSWERED = `
cat > /root/answers.yaml <<END
site: arnhem-gebouwen
policy: den-haag
informed_on: 2026-10-01
limit: 100 MB
keep_free: 1 MB
END
`;

/** systemd is not here: what runs is a file with names. */
const SYSTEMCTL_BY_A_FILE = `
cat > /usr/bin/systemctl <<'END'
#!/bin/sh
[ "$1" = --quiet ] && shift
verb=$1
shift
case $verb in
  list-units) for last; do :; done; while read -r unit; do case $unit in $last) echo "$unit loaded" ;; esac; done < /root/active ;;
  is-active) grep -qx "$1" /root/active ;;
  is-enabled) false ;;
  start) for unit; do grep -qx "$unit" /root/active || echo "$unit" >> /root/active; done ;;
  stop) for unit; do sed -i "/^$unit\\$/d" /root/active; done ;;
esac
END
`;

describe("the package, by Debian's own programs", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let made: string;

  before(async () => {
    folder = await temporaryFolder();
    made = await makePackage(folder.path, { with: "gzip", level: 1 });
  });

  after(() => folder[Symbol.asyncDispose]());

  async function inMachine(script: string): Promise<string> {
    // What the package depends on need not be on the machine of whoever tests.
    const forced = `dpkg() { command dpkg --force-depends "$@"; }; set -eu; ${script}`;
    const place = join(folder.path, "machine");
    const command = ["--mount", "--net", MACHINE, place, forced, "sh", made];
    const { stdout, stderr } = await run("unshare", command);
    return stdout + stderr;
  }

  it("has no errors for lintian", async function () {
    this.timeout(300_000);
    const { stdout } = await run("lintian", ["--allow-root", "--tag-display-limit", "0", made]);
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.startsWith("E: ")),
      [],
    );
  });

  it("makes its users and folders, and starts nothing by itself that keeps footage", async () => {
    const said = await inMachine(`
      dpkg --install "$1"
      stat -c '%n %U %a' /var/lib/bewaard /var/lib/bewaard/orders /etc/bewaard
      stat -c '%n %U:%G %a' /var/lib/bewaard-record /run/bewaard/dock /run/bewaard/record
      id -nG bewaard; id -nG bewaard-dock; id -nG bewaard-record
      for unit in bewaard-orders.path bewaard-paired.path bewaard.service bewaard-dock.service bewaard-record.service
      do echo "$unit $(systemctl is-enabled $unit)"; done
    `);
    const lines = new Set(said.split("\n"));
    for (const line of [
      "/var/lib/bewaard bewaard 710",
      "/var/lib/bewaard/orders bewaard 700",
      "/etc/bewaard root 755",
      "/var/lib/bewaard-record bewaard-record:bewaard 2710",
      "/run/bewaard/dock bewaard:bewaard-dock 2710",
      "/run/bewaard/record bewaard:bewaard-record 2710",
      "bewaard bewaard-dock bewaard-record",
      "bewaard-dock",
      "bewaard-record",
      "bewaard-orders.path enabled",
      "bewaard-paired.path enabled",
      "bewaard.service disabled",
      "bewaard-dock.service disabled",
      "bewaard-record.service disabled",
    ])
      assert.ok(lines.has(line), `${line}: ${said}`);
  });

  it("has units of which systemd has nothing to say, and each file as dpkg knows it", async () => {
    const said = await inMachine(`
      dpkg --install "$1" > /dev/null 2>&1
      cd /usr/lib/systemd/system
      ${A_TENANTS}
      systemd-analyze verify bewaard*.* system-bewaard-*.slice
      dpkg --verify bewaard
    `);
    assert.equal(said, "");
  });

  it("has units that may do little, and less than systemd finds safe: core, dock and recorder at most 1.3 of 10", async () => {
    const said = await inMachine(`
      dpkg --install "$1" > /dev/null 2>&1
      cd /usr/lib/systemd/system
      ${A_TENANTS}
      exposed() { echo "$1 $(systemd-analyze security --offline=true --no-pager $1 | tail -n 1)"; }
      for unit in bewaard*.service; do exposed $unit; done
      # Core, with a way out.
      mkdir bucket bucket/bewaard.service.d
      cp bewaard.service bucket
      cp /usr/lib/bewaard/systemd/bewaard-bucket.conf bucket/bewaard.service.d/bucket.conf
      cd bucket
      echo "bucket $(exposed ./bewaard.service)"
    `);
    const levels = new Map(
      [...said.matchAll(/^(.+?) → .*?: (\d+\.\d) /gm)].map(([, unit, level]) => [
        unit,
        Number(level),
      ]),
    );
    for (const [unit, most] of Object.entries(EXPOSED))
      assert.ok((levels.get(unit) ?? 10) <= most, `${unit}: ${said}`);
  });

  it("is installed, set up, started, upgraded and removed by what the page about that says, to the letter", async function () {
    this.timeout(300_000);
    const install = await blocksOf("install.md", "Install it");
    const [answers] = await blocksOf("install.md", "Configure", "yaml");
    const [setup] = await blocksOf("install.md", "Configure");
    const [key, bring, check] = await blocksOf("install.md", "From the desk");
    const [start] = await blocksOf("install.md", "Start");
    const upgrade = await blocksOf("install.md", "Upgrade");
    const [remove] = await blocksOf("install.md", "Remove");
    const now = "$(date +%Y-%m-%dT%H:%M:%S%:z)";
    const said = await inMachine(`
      ${SYSTEMD_AWAY}
      ${install.join("\n")}
      # As much as the page says has no machine's memory; that it is no disk is the one fault.
      mkdir -p /srv/bewaard
      mount -t tmpfs -o size=900g tmpfs /srv/bewaard
      cat > /root/answers.yaml <<END
${answers}
END
      ${setup}
      cp /var/lib/bewaard/node.key /root/first.key
      ${key}
      # Another machine, and not an administrator of this one: to the vault whoever keeps it.
      install -d -o bewaard -g bewaard -m 700 /tmp/keys
      (cd /tmp/keys && as_bewaard '${CEREMONY}')
      cp /tmp/keys/desk/recipients.txt /tmp/keys/desk/desk.signers .
      ${bring}
      cmp /root/first.key /var/lib/bewaard/node.key && echo same key
      ${start}
      bewaarctl clock confirm "${now}"
      ${check}
      ${upgrade.join("\n")}
      ps -eo user:20=,args= | sed -n 's/ .* run / runs /p' | sort
      stat -c '%n %U:%G %a' /srv/bewaard/spool/incoming/dock /srv/bewaard/spool/lease/record
      stat -c '%n %U %a' /var/lib/bewaard/node.key /etc/bewaard/node.vkey /etc/bewaard/bewaard.yaml /srv/bewaard/spool /mnt/bewaard/vault
      stop_all
      ${remove}
      ls /usr/lib/bewaard /var/lib/bewaard/node.key || true
    `);
    for (const line of [
      /^bewaard\/den-haag-handhaving\/dock-1\+[0-9a-f]{8}\+\S+$/m,
      /^same key$/m,
      /^✔ service: draait/m,
      /^\/var\/lib\/bewaard\/node\.key bewaard 600$/m,
      /^\/etc\/bewaard\/node\.vkey root 644$/m,
      /^\/etc\/bewaard\/bewaard\.yaml root 644$/m,
      /^bewaard runs core$/m,
      /^bewaard-dock runs dock$/m,
      /^\/srv\/bewaard\/spool bewaard 711$/m,
      /^\/srv\/bewaard\/spool\/incoming\/dock bewaard-dock:bewaard-dock 2770$/m,
      /^\/srv\/bewaard\/spool\/lease\/record bewaard-record:bewaard-record 600$/m,
      /^\/mnt\/bewaard\/vault bewaard 700$/m,
      /^ {2}systemctl enable --now bewaard\.service bewaard-dock\.service$/m,
      /^\/var\/lib\/bewaard\/node\.key$/m,
    ])
      assert.match(said, line);
    const faults = [...said.matchAll(/^✘ (.*?)(?= \/ |: een )/gm)].map(([, fault]) => fault);
    const inMemory = "spool: staat in het geheugen en is weg na een herstart";
    const undesked = [inMemory, "recipients", "desk signers"];
    assert.deepEqual(faults, [...undesked, inMemory, inMemory, inMemory], said);
  });

  it("keeps tenants apart: none can read or change anything of another, or of the box", async function () {
    this.timeout(300_000);
    const said = await inMachine(`
      dpkg --install "$1" > /dev/null 2>&1
      ${ANSWERED}
      set +e
      bewaard setup --answers /root/answers.yaml --node dock-1 > /root/box
      for tenant in bibliotheek museum; do
        bewaard setup --tenant $tenant --answers /root/answers.yaml --node $tenant-1
        systemctl enable bewaard@$tenant.service bewaard-record@$tenant.service
      done
      for tenant in bibliotheek museum; do
        for place in /etc/bewaard/$tenant.yaml /var/lib/bewaard-$tenant /srv/bewaard-$tenant/spool /mnt/bewaard-$tenant/vault
        do stat -c 'place %n %U %G %a' $place; done
      done
      others="/var/lib/bewaard-museum /srv/bewaard-museum/spool /mnt/bewaard-museum/vault /etc/bewaard/museum"
      box="/var/lib/bewaard /srv/bewaard/spool /mnt/bewaard/vault"
      as() { setpriv --reuid=$1 --regid=$1 --clear-groups sh -c "$2"; }
      # What it may not see of theirs it can say nothing of; its own it can, so that this is no broken find.
      as bewaard-bibliotheek "find $others $box -mindepth 1 2>/dev/null; find /etc/bewaard/museum.yaml -readable" | sed 's/^/reads /'
      as bewaard-bibliotheek "find $others $box /etc/bewaard -writable 2>/dev/null" | sed 's/^/writes /'
      as bewaard-bibliotheek "cat /var/lib/bewaard-museum/node.key || cat /var/lib/bewaard/node.key" 2>&1 | sed 's/^/key /'
      as bewaard-museum "find $others -mindepth 1 -name node.key" | sed 's/^/own /'
      # Each part as systemd starts it, with its groups: it reads the configuration, and is not told what to do by another.
      part() { setpriv --reuid=$1 --regid=$1 --init-groups sh -c "$2"; }
      for part in "" -dock -record
      do part bewaard-museum$part "cat /etc/bewaard/museum.yaml" | grep -c ^node: | sed "s/^/configured$part /"; done
      for part in -dock -record
      do part bewaard-museum$part "ls /var/lib/bewaard-museum /srv/bewaard-museum/spool/segments /etc/bewaard/bibliotheek" 2> /dev/null | sed "s/^/sees /"; done
      for key in /var/lib/bewaard*/node.key; do sha256sum < $key; done | sort -u | wc -l | sed 's/^/keys /'
      systemd-analyze verify bewaard@museum.service bewaard-dock@museum.service bewaard-record@museum.service 2>&1 | sed 's/^/verify /'
    `);
    const lines = said.split("\n");
    const saying = (what: string) => lines.filter((line) => line.startsWith(`${what} `));
    assert.deepEqual(saying("reads"), [], said);
    assert.deepEqual(saying("writes"), []);
    assert.equal(saying("key").filter((line) => /Permission denied/.test(line)).length, 2);
    assert.equal(saying("key").length, 2);
    for (const part of ["", "-dock", "-record"])
      assert.deepEqual(saying(`configured${part}`), [`configured${part} 1`], said);
    assert.deepEqual(saying("sees"), []);
    assert.deepEqual(saying("own"), ["own /var/lib/bewaard-museum/node.key"]);
    assert.deepEqual(saying("keys"), ["keys 3"]);
    assert.deepEqual(saying("verify"), []);
    for (const name of ["bibliotheek", "museum"])
      for (const place of [
        `place /etc/bewaard/${name}.yaml root bewaard-${name}-parts 640`,
        `place /var/lib/bewaard-${name} bewaard-${name} bewaard-${name} 710`,
        `place /srv/bewaard-${name}/spool bewaard-${name} bewaard-${name} 711`,
        `place /mnt/bewaard-${name}/vault bewaard-${name} bewaard-${name} 700`,
      ])
        assert.ok(lines.includes(place), `${place}: ${said}`);
  });

  it("leaves the key of a box with systemd where that is asked for, and makes no other (invariant 7)", async function () {
    this.timeout(300_000);
    const said = await inMachine(`
      dpkg --install "$1" > /dev/null 2>&1
      cat > /root/answers.yaml <<END
site: arnhem-gebouwen
node: dock-1
informed_on: 2026-10-01
limit: 100 MB
keep_free: 1 MB
keys: systemd
END
      # A machine that was never booted has none.
      [ -s /etc/machine-id ] || systemd-machine-id-setup
      bewaard setup --answers /root/answers.yaml
      runuser -u bewaard -- bewaard setup 2>&1 | sed 's/^/by hand /'
      bewaard setup --answers /root/answers.yaml
      ls -A /var/lib/bewaard | sed 's/^/state /'
      (cd /run; find . -path './bewaard-setup*' -printf '%P %U %m\\n') | sed 's/^/run /'
      stat -c '%n %U %a' /etc/credstore.encrypted/bewaard.node.key
      { grep -c PRIVATE /etc/credstore.encrypted/bewaard.node.key || true; } | sed 's/^/in clear /'
      cat /etc/systemd/system/bewaard.service.d/credentials.conf
      systemd-analyze verify bewaard.service 2>&1 | sed 's/^/verify /'
    `);
    const lines = said.split("\n");
    const keys = lines.filter((line) => line.startsWith("bewaard/arnhem-gebouwen/dock-1+"));
    assert.equal(keys.length, 2, said);
    assert.equal(new Set(keys).size, 1);
    const saying = (what: string) => lines.filter((line) => line.startsWith(`${what} `));
    assert.deepEqual(saying("state"), [
      "state metrics",
      "state node.key.in-systemd",
      "state orders",
      "state setup.lock",
    ]);
    // And no secret in it.
    const locks = ["bewaard.lock", "bewaard.setup.lock"];
    assert.deepEqual(saying("run").toSorted(), [
      "run bewaard-setup 0 711",
      ...locks.map((name) => `run bewaard-setup/${name} 0 600`),
    ]);
    assert.match(saying("by hand").join(), /SECRET_MISSING/);
    assert.deepEqual([...saying("in clear"), ...saying("verify")], ["in clear 0"]);
    assert.ok(lines.includes("/etc/credstore.encrypted/bewaard.node.key root 600"));
    assert.ok(lines.includes("LoadCredentialEncrypted=node.key:bewaard.node.key"));
    assert.equal(
      lines.filter((line) => line === "✔ node key: bewaard/arnhem-gebouwen/dock-1").length,
      2,
    );
  });

  it("gives each tenant to its parts whatever is with the box, starts it also where that was cut off, and leaves an administrator's file alone", async function () {
    this.timeout(300_000);
    const said = await inMachine(`
      dpkg --install "$1" > /dev/null 2>&1
      ${ANSWERED}
      ${SYSTEMCTL_BY_A_FILE}
      set +e
      bewaard setup --answers /root/answers.yaml --node dock-1 > /dev/null
      bewaard setup --tenant museum --answers /root/answers.yaml --node museum-1 > /dev/null
      # As a machine that was one user's, whose box lost its disk; and a file that is no tenant's.
      rm /var/lib/bewaard-helper/parts-given
      chown -R bewaard-museum:bewaard-museum /srv/bewaard-museum/spool
      touch /var/lib/bewaard/catalog.db
      mv /srv/bewaard/spool /srv/away
      echo 'm nobody bewaard' > /etc/sysusers.d/bewaard-beheer.conf
      printf '%s\n' bewaard.service bewaard-record.service bewaard@museum.service bewaard-record@museum.service > /root/active
      mkdir -p /run/systemd/system
      dpkg --install "$1" || echo refused
      sort /root/active | sed 's/^/runs /'
      stat -c '%n %U' /srv/bewaard-museum/spool/incoming/record
      cat /etc/sysusers.d/bewaard-beheer.conf
      # Cut off before it was started again, the disk of the box is back.
      mv /srv/away /srv/bewaard/spool
      grep @museum /root/active > /var/lib/bewaard-helper/parts-stopped-museum
      sed -i /@museum/d /root/active
      dpkg --configure bewaard
      sort /root/active | sed 's/^/then runs /'
      (cd /var/lib/bewaard-helper; ls -d parts-*) | sed 's/^/left /'
    `);
    const lines = said.split("\n");
    const saying = (what: string) => lines.filter((line) => line.startsWith(`${what} `));
    assert.ok(lines.includes("refused"), said);
    const tenants = ["-dock@museum", "-record@museum", "@museum"];
    const running = (what: string, ...units: readonly string[]) =>
      assert.deepEqual(
        saying(what),
        units.map((unit) => `${what} bewaard${unit}.service`),
        said,
      );
    running("runs", ...tenants.slice(0, 2), "", tenants[2] ?? "");
    assert.ok(lines.includes("/srv/bewaard-museum/spool/incoming/record bewaard-museum-record"));
    assert.ok(lines.includes("m nobody bewaard"), said);
    running(
      "then runs",
      "-dock",
      ...tenants.slice(0, 1),
      "-record",
      ...tenants.slice(1, 2),
      "",
      "@museum",
    );
    assert.deepEqual(saying("left"), ["left parts-given", "left parts-given-museum"]);
  });

  it("says which units of a checkout would be run in place of its own", async () => {
    const old = "/etc/systemd/system/bewaard.service";
    const said = await inMachine(`echo > ${old}; dpkg --install "$1"`);
    assert.ok(said.includes(`bewaard: ${old} gaat voor dit pakket / hides`), said);
  });

  it("leaves on or off at an upgrade, and when it was away, what the administrator had on or off", async () => {
    const said = await inMachine(`
      dpkg --install "$1"
      systemctl enable bewaard.service
      systemctl disable bewaard-paired.path
      dpkg --install "$1"
      shown() { echo "$1 $(systemctl is-enabled bewaard.service bewaard-paired.path | tr '\\n' ' ')"; }
      shown upgraded
      dpkg --remove bewaard
      shown away
      dpkg --install "$1"
      shown back
    `);
    assert.match(said, /^upgraded enabled disabled $/m);
    assert.match(said, /^away masked masked $/m);
    assert.match(said, /^back enabled disabled $/m);
  });

  it("keeps what was made when it is purged, and says what and where (invariant 4)", async () => {
    const said = await inMachine(`
      dpkg --install "$1"
      ${USED} echo > /etc/bewaard/purge
      dpkg --purge bewaard
      ls ${KEPT}
      ls /usr/lib/bewaard || echo gone
    `);
    for (const path of ["/var/lib/bewaard", "/srv/bewaard", "/etc/bewaard", ...BY_SETUP])
      assert.ok(said.includes(`kept: ${path}\n`), said);
    assert.match(said, /^gone$/m);
  });

  it("destroys it on a purge where root has asked twice, and then not what is another disk's", async () => {
    const said = await inMachine(`
      dpkg --install "$1"
      ${USED}
      mkdir /srv/bewaard/nas
      mount -t tmpfs tmpfs /srv/bewaard/nas
      touch /srv/bewaard/nas/a.age /etc/credstore.encrypted/other.key
      ${ASKED}
      dpkg --purge bewaard
      for path in ${KEPT}; do [ ! -e $path ]; done
      ls /srv/bewaard/nas/a.age /etc/credstore.encrypted/other.key
      [ ! -e /etc/systemd/system/bewaard.service.d ]
      id bewaard
    `);
    assert.match(said, /kept: \/srv\/bewaard$/m);
    assert.doesNotMatch(said, /kept: \/(?:var|etc)/);
  });

  it("is refused over the catalog of a newer version, and changes nothing then", async () => {
    const said = await inMachine(`
      mkdir -p /var/lib/bewaard
      python3 -c 'import sqlite3; sqlite3.connect("/var/lib/bewaard/catalog.db").execute("pragma user_version = 9999")'
      if dpkg --install "$1"; then exit 1; fi
      [ ! -e /usr/lib/bewaard ]
    `);
    assert.match(said, /a newer version's/);
  });
});
