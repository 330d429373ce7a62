import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "#base/system-clock";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { type CephStore, cephConf, makeCertificate, makeKeyring } from "./ceph-files.ts";

const run = promisify(execFile);
const REGION = "eu-central-1";
const START_MS = 60_000;

interface CephCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Ceph's own object storage, which others wrote: the S3 that what is ours must get along with. */
export interface Ceph extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  /** Of the account that makes buckets: all it makes is its own. */
  readonly credential: CephCredential;
  /** What vouches for the endpoint, in PEM, where it speaks TLS. */
  readonly certificate: string | undefined;
  /** A user that may do nothing, and make no bucket; a bucket's policy names it `arn:aws:iam:::user/<name>`. */
  addUser(name: string): Promise<CephCredential>;
  /** Runs radosgw-admin, for a quota or a suspended user; resolves with what it prints. */
  admin(...args: readonly string[]): Promise<string>;
  /** Ends the gateway at once, in the middle of what it does: an outage. What it had confirmed is kept. */
  stopGateway(): Promise<void>;
  startGateway(): Promise<void>;
}

interface CephOptions {
  /** How many seconds a "day" of the lifecycle lasts. */
  readonly dayS?: number;
  readonly tls?: boolean;
  /** Memory by default: it starts in two seconds, but all that is put stays in memory. */
  readonly store?: CephStore;
}

/**
 * Starts a throw-away Ceph of one node on 127.0.0.1, without systemd, as any user, as many at once as
 * the machine bears. Disposing ends its own processes and removes its folder; they end too when this
 * process does. @throws Error when Ceph is not installed or does not start.
 */
export async function startCeph(options: CephOptions = {}): Promise<Ceph> {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await temporaryFolder());
  const tls = options.tls === true ? await makeCertificate(folder) : undefined;
  const [monPort, gatewayPort] = [await freePort(), await freePort()];
  const { dayS, store = "memory" } = options;
  const settings = { id: randomUUID(), monPort, gatewayPort, store, dayS, pem: tls?.path };
  await writeFile(join(folder, "ceph.conf"), cephConf(folder, settings));
  const start = starter(folder);

  await makeMonitor(folder, settings.id, monPort);
  undo.use(await start("ceph-mon", "mon.a", monPort));
  const conf = ["-c", join(folder, "ceph.conf")];
  await run("ceph", [...conf, "--connect-timeout", "30", "osd", "create"]);
  await run("ceph-osd", [...conf, "-i", "0", "--mkfs", "--osd-uuid", randomUUID()]);
  undo.use(await start("ceph-osd", "osd.0", undefined));
  const admin = async (...args: readonly string[]): Promise<string> =>
    (await run("radosgw-admin", [...conf, ...args], { timeout: START_MS })).stdout;
  const credential = await makeUser(admin, "admin", 1000);
  // What GetBucketLocation answers, and the only place where a bucket can be made.
  await admin("zonegroup", "modify", "--rgw-zonegroup=default", `--api-name=${REGION}`);

  let gateway = await start("radosgw", "client.rgw", gatewayPort);
  undo.defer(() => gateway[Symbol.asyncDispose]());
  const started = undo.move();
  return {
    endpoint: `http${tls ? "s" : ""}://127.0.0.1:${gatewayPort}`,
    region: REGION,
    credential,
    certificate: tls?.pem,
    addUser: (name) => makeUser(admin, name, -1),
    admin,
    stopGateway: () => gateway[Symbol.asyncDispose](),
    async startGateway() {
      gateway = await start("radosgw", "client.rgw", gatewayPort);
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function makeMonitor(folder: string, id: string, port: number): Promise<void> {
  const [map, keyring] = [join(folder, "monmap"), join(folder, "keyring")];
  await run("monmaptool", ["--create", "--fsid", id, "--addv", "a", `[v2:127.0.0.1:${port}]`, map]);
  await makeKeyring(keyring);
  await Promise.all(["mon", "osd"].map((name) => mkdir(join(folder, name))));
  const files = ["--monmap", map, "--keyring", keyring];
  await run("ceph-mon", ["-c", join(folder, "ceph.conf"), "--mkfs", "-i", "a", ...files]);
}

/** Starts programs of Ceph in the foreground, so that they are ours to end. */
function starter(folder: string) {
  return async (program: string, name: string, port: number | undefined) => {
    const said = join(folder, `${name}.said`);
    await using output = await open(said, "a");
    // The kernel ends it when we are killed, and could not.
    const args = ["--pdeathsig", "KILL", program, "-f", "-c", join(folder, "ceph.conf")];
    const stdio = ["ignore", output.fd, output.fd] as const;
    const child = spawn("setpriv", [...args, "-n", name], { stdio: [...stdio] });
    const ended = once(child, "exit");
    const end = async (): Promise<void> => {
      child.kill("SIGKILL"); // nothing of it is kept
      await ended;
    };
    if (port !== undefined && !(await listens(child, port))) {
      await end();
      const why = (await readFile(said, "utf8")).slice(-500);
      throw new Error(`${program} does not start: node setup.mjs --peers installs it\n${why}`);
    }
    return { [Symbol.asyncDispose]: end };
  };
}

async function listens(child: ChildProcess, port: number): Promise<boolean> {
  const untilMs = systemClock.uptimeMs() + START_MS;
  while (child.exitCode === null && child.signalCode === null) {
    if (await connects(port)) return true;
    if (systemClock.uptimeMs() > untilMs) return false;
    await systemClock.sleep(20, NEVER);
  }
  return false;
}

function connects(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return once(socket, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function makeUser(admin: Ceph["admin"], name: string, buckets: number) {
  const credential = {
    accessKeyId: `${name}-${randomBytes(6).toString("hex")}`,
    secretAccessKey: randomBytes(20).toString("hex"),
  };
  const keys = [credential.accessKeyId, credential.secretAccessKey];
  const [key, secret] = [`--access-key=${keys[0]}`, `--secret-key=${keys[1]}`];
  const user = [`--uid=${name}`, `--display-name=${name}`, `--max-buckets=${buckets}`];
  await admin("user", "create", ...user, key, secret);
  return credential;
}
