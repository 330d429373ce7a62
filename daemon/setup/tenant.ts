import { execFile } from "node:child_process";
import { lchown, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { BewaardError } from "#base/errors";
import { folderBeside } from "./draft.ts";
import { makeOwned, type Owner, writeOwned } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";

const run = promisify(execFile);

/** A controller of its own on this machine: an instance of each unit, with all that it keeps under another user. */
export interface Tenant {
  readonly name: string;
  /** Core's user. */
  readonly owner: NonNullable<Owner>;
  /** The group of those who may read its configuration: its parts. */
  readonly readers: number;
}

/** What of bewaard itself is called so: its units, folders, files in /etc/bewaard, and names in the journal. */
const TAKEN: ReadonlySet<string> = new Set([
  "again",
  "annex",
  "bewaard",
  "bucket",
  "credentials",
  "dock",
  "examples",
  "ffmpeg",
  "ffprobe",
  "gate",
  "helper",
  "media",
  "metrics",
  "mtp",
  "orders",
  "paired",
  "profiles",
  "purge",
  "record",
  "setup",
]);

/** systemd takes no longer name of a user. */
const USER_CHARACTERS = 31;
/** The longest of the users that may be a tenant's. */
const LONGEST = USER_CHARACTERS - "bewaard--record".length;

/** @throws BewaardError DESK_INPUT for a name that cannot be in those of its users, or is one of bewaard's own. */
export function parseTenant(name: string): string {
  if (/^[a-z][a-z0-9]+$/.test(name) && name.length <= LONGEST && !TAKEN.has(name)) return name;
  const how = `a-z, 0-9, hoogstens / at most ${LONGEST}`;
  const message = `--tenant: een korte naam, als / a short name, like "bibliotheek": ${how}`;
  throw new BewaardError("DESK_INPUT", message);
}

export function tenantConfiguration(name: string): string {
  return `/etc/bewaard/${name}.yaml`;
}

export function tenantState(name: string): string {
  return `/var/lib/bewaard-${name}`;
}

/** Who its parts are, as of a box (systemd/bewaard.sysusers); and who may read its configuration, which is no leave to tell core what to do. */
export function usersOf(name: string): string {
  const core = `bewaard-${name}`;
  return `u ${core} - "bewaard ${name}" ${tenantState(name)}
u ${core}-dock - "bewaard ${name} reads bodycams"
u ${core}-record - "bewaard ${name} records cameras" ${tenantState(name)}-record
g ${core}-parts -
m ${core} ${core}-dock
m ${core} ${core}-record
m ${core} ${core}-parts
m ${core}-dock ${core}-parts
m ${core}-record ${core}-parts
`;
}

/** Its folders, as of a box (systemd/bewaard.tmpfiles). */
export function foldersOf(name: string): string {
  const core = `bewaard-${name}`;
  return `d /run/${core} 0755 root root -
d /run/${core}/dock 2710 ${core} ${core}-dock -
d /run/${core}/record 2710 ${core} ${core}-record -
d /var/cache/${core} 0755 ${core} ${core} -
d /var/cache/${core}-dock 0755 ${core}-dock ${core}-dock -
d /var/cache/${core}-record 0755 ${core}-record ${core}-record -
d ${tenantState(name)} 0710 ${core} ${core} -
d ${tenantState(name)}-record 2710 ${core}-record ${core} -
d ${tenantState(name)}/metrics 0710 ${core} ${core} -
`;
}

/**
 * Makes the users of a tenant, and their folders, and lets them read its configuration where that is there. Harmless to repeat.
 * @throws BewaardError USAGE for who is not root.
 */
export async function makeTenant(name: string): Promise<Tenant> {
  if (process.getuid?.() !== 0)
    throw new BewaardError("USAGE", "--tenant: alleen voor root / only for root");
  const user = `bewaard-${name}`;
  for (const [program, folder, text] of [
    ["systemd-sysusers", "/etc/sysusers.d", usersOf(name)],
    ["systemd-tmpfiles", "/etc/tmpfiles.d", foldersOf(name)],
  ] as const) {
    const known = `${folder}/${user}.conf`;
    await makeOwned(undefined, folder, 0o755);
    await writeOwned(undefined, known, text, 0o644, "replace");
    await run(program, program === "systemd-tmpfiles" ? ["--create", known] : [known]);
  }
  const idOf = async (which: string): Promise<number> =>
    Number((await run("id", [which, user])).stdout);
  const owner = { uid: await idOf("-u"), gid: await idOf("-g") };
  const readers = await groupNamed(`${user}-parts`);
  await letRead(name, owner.gid, readers);
  return { name, owner, readers };
}

async function groupNamed(name: string): Promise<number> {
  return Number((await run("getent", ["group", name])).stdout.split(":")[2]);
}

/** Its configuration, and what belongs to that, was for core's group before: in a folder of root's. */
async function letRead(name: string, before: number, readers: number): Promise<void> {
  const configuration = tenantConfiguration(name);
  for (const path of [configuration, folderBeside(configuration)]) {
    if (!(await isThere(path))) continue;
    const { uid, gid } = await stat(path);
    if (uid === 0 && gid === before) await lchown(path, 0, readers);
  }
}
