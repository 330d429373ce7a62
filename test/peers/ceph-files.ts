import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where a throw-away Ceph keeps its objects: in memory, quick to start, or in a file, for much footage. */
export type CephStore = "memory" | "disk";

export interface CephSettings {
  readonly id: string;
  readonly monPort: number;
  readonly gatewayPort: number;
  readonly store: CephStore;
  /** How long a "day" of the lifecycle lasts; a real one where undefined. */
  readonly dayS: number | undefined;
  /** Certificate and key in one file. */
  readonly pem: string | undefined;
}

/**
 * ceph.conf of one monitor, one object store and one gateway that keep to `folder` and to 127.0.0.1.
 * Nothing is read from or written to /etc/ceph, /var/lib/ceph or /run/ceph.
 */
export function cephConf(folder: string, settings: CephSettings): string {
  const { id, monPort, gatewayPort, store, dayS, pem } = settings;
  const at = `endpoint=127.0.0.1:${gatewayPort}`;
  return `[global]
fsid = ${id}
mon host = v2:127.0.0.1:${monPort}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
# The gateway insists on a keyring.
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = ${folder}/keyring
# Seconds by default, for every change of a map.
paxos propose interval = 0.05
paxos min wait = 0.01
mon tick interval = 1
run dir = ${folder}
crash dir = ${folder}
admin socket =
pid file =
log file = ${folder}/$name.log
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
# A disk that is nearly full is no reason for a test to hang.
mon data avail crit = 1
mon data avail warn = 2
[mon.a]
mon data = ${folder}/mon
mon cluster log file = ${folder}/cluster.log
[osd.0]
osd data = ${folder}/osd
osd objectstore = ${store === "memory" ? "memstore" : "bluestore"}
memstore device bytes = 12884901888
bluestore block size = 21474836480
bluestore cache autotune = false
osd memory target = 1073741824
# What a key of 1024 bytes needs.
osd max object name len = 2048
[client.rgw]
rgw frontends = beast ${pem === undefined ? at : `ssl_${at} ssl_certificate=${pem}`}
rgw thread pool size = 32
rgw run sync thread = false
rgw enable usage log = false
rgw dns name =
rgw lc debug interval = ${dayS ?? -1}
rgw crypt require ssl = false
# What was deleted is gone after seconds, not two hours.
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 5
`;
}

/** The keyring of all that run. */
export async function makeKeyring(path: string): Promise<void> {
  const all = ["mon", "osd", "mgr"].flatMap((whom) => ["--cap", whom, "allow *"]);
  await run("ceph-authtool", ["-C", "-n", "mon.", "--gen-key", "--cap", "mon", "allow *", path]);
  for (const name of ["client.admin", "osd.0", "client.rgw"]) {
    await run("ceph-authtool", ["-n", name, "--gen-key", ...all, path]);
  }
}

/** A certificate for 127.0.0.1 and localhost, its own root: of what to trust the text, of both the path. */
export async function makeCertificate(folder: string): Promise<{ pem: string; path: string }> {
  const path = join(folder, "gateway.pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "-"];
  const names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
  const what = ["-subj", "/CN=localhost", "-days", "2", "-addext", names];
  const { stdout } = await run("openssl", ["req", "-x509", ...key, ...what]);
  await writeFile(path, stdout, { mode: 0o600 });
  return { pem: /-----BEGIN CERTIFICATE-----[^]*/.exec(stdout)?.[0] ?? "", path };
}
