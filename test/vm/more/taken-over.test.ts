import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "mocha";
import type { Guest } from "../guest.ts";
import { openInstalled } from "../installed.ts";

const STAND_IN = new URL("../taken-over.pl", import.meta.url);
/** As many as it tries. */
const TRIES = 42;
const INCOMING = "/srv/bewaard/spool/incoming";
const SEGMENTS = "/srv/bewaard/spool/segments";

/** A tenant whose recorder only sleeps: that is started sooner, and its gate comes with it. */
const TENANT = `
set -e
mkdir -p /etc/sysusers.d
printf 'u bewaard-museum%s -\\n' '' -dock -record > /etc/sysusers.d/bewaard-museum.conf
systemd-sysusers /etc/sysusers.d/bewaard-museum.conf
mkdir /etc/systemd/system/bewaard-record@museum.service.d
printf '[Service]\\nType=exec\\nWatchdogSec=0\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' > /etc/systemd/system/bewaard-record@museum.service.d/sleeps.conf
systemctl daemon-reload
systemctl start bewaard-record@museum.service
systemctl start bewaard-ffprobe@museum.socket
`;

/** On a processor that may be slow, what a box has that nobody else is to have, a process of its user's, and a port that answers on each of its addresses. */
const MADE = `
set -e
mkdir /etc/systemd/system/bewaard-ffprobe@.service.d
printf '[Service]\\nRuntimeMaxSec=infinity\\nLimitCPU=infinity\\n' > /etc/systemd/system/bewaard-ffprobe@.service.d/slow.conf
systemctl daemon-reload
systemctl start bewaard-record.service
for one in camera.password vault.credential; do
  install -o bewaard -g bewaard -m 600 /dev/stdin /var/lib/bewaard/$one <<< secret
done
ip link set lo up
ip address add 192.0.2.1/32 dev lo
systemd-run -q --unit=anybody perl -MIO::Socket::INET -e \
  'my $s = IO::Socket::INET->new(Listen => 9, LocalPort => 7777) or die $!; 1 while $s->accept'
until (: < /dev/tcp/127.0.0.1/7777) 2> /dev/null; do sleep 0.2; done
systemd-run -q --unit=holder -p User=bewaard sleep infinity
cat > /usr/local/share/targets << END
catalog /var/lib/bewaard/catalog.db
key /var/lib/bewaard/node.key
credential /var/lib/bewaard/vault.credential
password /var/lib/bewaard/camera.password
configuration /etc/bewaard/bewaard.yaml
control /var/lib/bewaard/control.sock
state /var/lib/bewaard
incoming ${INCOMING}
segments ${SEGMENTS}
port 7777
address 192.0.2.1
pid $(systemctl show holder -p MainPID --value)
END
`;
/** What was done to them before is done again. */
const FOOTAGE = `
for folder in ${INCOMING} ${SEGMENTS}; do
  cd $folder
  rm -f new third.other
  for name in first second third fourth; do install -o bewaard -g bewaard -m 644 /dev/stdin $name <<< footage; done
done
`;
const UNTOUCHED = `
for folder in ${INCOMING} ${SEGMENTS}; do
  cd $folder && grep -c '^footage$' first second third fourth && [ ! -e new ] || exit 1
done
`;

const SENT = { ffmpeg: "any\\0\\0", ffprobe: "1 1\\nx" };
/** Who of a box has each of them run. */
const ASKS = { ffmpeg: "record", ffprobe: "dock" };

/** Has systemd start one, as the service of the box or of a tenant does, and prints what it says. A film has an end; to hang up on ffmpeg would end it. */
const asks = (
  program: "ffmpeg" | "ffprobe",
  box = "bewaard",
  user = `${box}-${ASKS[program]}`,
): string =>
  `runuser -u ${user} -- perl -MIO::Socket::UNIX -e '
    $s = IO::Socket::UNIX->new(Peer => "/run/${box}/${program}.sock") or die $!;
    print $s "${SENT[program]}"; shutdown($s, 1) if "${program}" eq "ffprobe"; print while <$s>;'`;

/** Has two started that are told nothing, and prints which users they are. */
const TWO_AT_ONCE = `
runuser -u bewaard-record -- perl -MIO::Socket::UNIX -e '
  @s = map { IO::Socket::UNIX->new(Peer => "/run/bewaard/ffmpeg.sock") or die $! } 1, 2; sleep 600' &
list() { systemctl list-units --state=running --plain --no-legend 'bewaard-ffmpeg@*' | cut -d' ' -f1; }
until [ "$(list | wc -l)" = 2 ]; do sleep 0.2; done
for unit in $(list); do stat -c %u /proc/$(systemctl show $unit -P MainPID); done
kill $!
until [ -z "$(list)" ]; do sleep 0.2; done
`;

describe("an ffmpeg or ffprobe that was taken over", () => {
  const stack = new AsyncDisposableStack();
  let guest: Guest;

  before(async () => {
    guest = stack.use(await openInstalled());
    await guest.sh(MADE);
    await guest.sh(TENANT);
    const script = await readFile(STAND_IN);
    for (const name of ["ffmpeg", "ffprobe"]) {
      await guest.put(`/usr/local/bin/${name}`, script);
      await guest.sh(`chmod 755 /usr/local/bin/${name}`);
    }
  });
  after(() => stack.disposeAsync());

  async function tried(command: string): Promise<ReadonlyMap<string, string>> {
    await guest.sh(FOOTAGE);
    const said = await guest.sh(command);
    return new Map(
      [...said.matchAll(/^\+?(.+): (.+)$/gm)].map(([, name = "", how = ""]) => [name, how]),
    );
  }

  const done = (tries: ReadonlyMap<string, string>): readonly string[] =>
    [...tries].filter(([, how]) => how === "done").map(([name]) => name);

  it("would have all of it as a process of core's user: nearly each attempt is one that succeeds", async () => {
    const tries = await tried(
      "systemd-run -q --pipe --wait -p User=bewaard sh -c 'ffmpeg; exit 0'",
    );
    assert.equal(tries.size, TRIES);
    const not = [...tries].filter(([, how]) => how !== "done");
    // The dock alone asks ffprobe; and the gate is in a network where it is not.
    assert.deepEqual(not, [
      ["have another one started", "no, Permission denied"],
      ["reach the gate", "no, Connection refused"],
    ]);
    assert.notEqual((await guest.exec(UNTOUCHED)).code, 0);
  });

  it("reaches as ffmpeg the recorder's gate, and nothing else", async () => {
    const tries = await tried(asks("ffmpeg"));
    assert.equal(tries.size, TRIES);
    assert.deepEqual(done(tries), ["reach the gate"]);
    await guest.sh(UNTOUCHED);
  });

  it("reaches as ffprobe nothing at all", async () => {
    const tries = await tried(asks("ffprobe"));
    assert.equal(tries.size, TRIES);
    assert.deepEqual(done(tries), []);
    await guest.sh(UNTOUCHED);
  });

  it("reaches nothing more as a tenant's: as ffmpeg the gate of that one's recorder, as ffprobe nothing", async () => {
    assert.deepEqual(done(await tried(asks("ffmpeg", "bewaard-museum"))), ["reach the gate"]);
    const tries = await tried(asks("ffprobe", "bewaard-museum"));
    assert.equal(tries.size, TRIES);
    assert.deepEqual(done(tries), []);
    await guest.sh(UNTOUCHED);
  });

  it("is asked by nobody but the part that has need of it, and is gone once it was answered", async () => {
    for (const [box, user] of [
      ["bewaard", "nobody"],
      ["bewaard", "bewaard"],
      ["bewaard", "bewaard-dock"],
      ["bewaard", "bewaard-museum-record"],
      ["bewaard-museum", "bewaard-record"],
      ["bewaard-museum", "bewaard-museum"],
    ] as const) {
      const others = await guest.exec(asks("ffmpeg", box, user));
      assert.match(others.err, /Permission denied/, `${user} at ${box}`);
    }
    const left = "systemctl list-units --all --plain --no-legend 'bewaard-ff*@*.service'";
    await guest.until(`[ -z "$(${left})" ]`);
  });

  it("is another user for each connection", async () => {
    const said = await guest.sh(TWO_AT_ONCE);
    const [one, other, ...more] = said.trim().split("\n");
    assert.match(`${one} ${other}`, /^6\d{4} 6\d{4}$/);
    assert.notEqual(one, other);
    assert.deepEqual(more, []);
  });

  it("has its socket back after a start that could not even be queued", async () => {
    await guest.sh("systemctl mask --runtime bewaard-ffmpeg@.service");
    assert.doesNotMatch((await guest.exec(asks("ffmpeg"))).out, /done/);
    await guest.sh("systemctl unmask --runtime bewaard-ffmpeg@.service");
    await guest.until("systemctl is-active -q bewaard-ffmpeg.socket");
    assert.match(await guest.sh(asks("ffmpeg")), /^reach the gate: done$/m);
  });

  it("finds a gate that began anew with the recorder, and starts none that was stopped", async () => {
    const pid = "systemctl show bewaard-record.service -P MainPID";
    const first = await guest.sh(pid);
    await guest.sh("systemctl restart bewaard-gate.socket");
    assert.notEqual(await guest.sh(pid), first);
    assert.match(await guest.sh(asks("ffmpeg")), /^reach the gate: done$/m);
    await guest.sh("systemctl stop bewaard-record.service");
    await guest.exec(asks("ffmpeg"));
    const runs = "systemctl is-active bewaard-record.service bewaard-gate.socket";
    assert.equal((await guest.exec(runs)).out, "inactive\ninactive\n");
    // A tenant's is another one, in a network of its own.
    const tenants = await guest.sh(asks("ffmpeg", "bewaard-museum"));
    assert.match(tenants, /^reach the gate: done$/m);
    await guest.sh("systemctl stop bewaard-record@museum.service");
    const none = await guest.exec(asks("ffmpeg", "bewaard-museum"));
    assert.doesNotMatch(none.out, /done/);
  });
});
