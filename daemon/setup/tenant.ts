import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { BewaardError } from "#base/errors";
import { makeOwned, type Owner, writeOwned } from "./own-files.ts";

const run = promisify(execFile);

/** A controller of its own on this machine: an instance of each unit, with all that it keeps under another user. */
export interface Tenant {
  readonly name: string;
  readonly owner: NonNullable<Owner>;
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

export function tenantState(name: string): string {
  return `/var/lib/bewaard-${name}`;
}

/**
 * Makes the user of a tenant, and its state folder. Harmless to repeat.
 * @throws BewaardError USAGE for who is not root.
 */
export async function makeTenant(name: string): Promise<Tenant> {
  if (process.getuid?.() !== 0)
    throw new BewaardError("USAGE", "--tenant: alleen voor root / only for root");
  const user = `bewaard-${name}`;
  const known = `/etc/sysusers.d/${user}.conf`;
  const line = `u ${user} - "bewaard ${name}" ${tenantState(name)}\n`;
  await makeOwned(undefined, "/etc/sysusers.d", 0o755);
  await writeOwned(undefined, known, line, 0o644, "replace");
  await run("systemd-sysusers", [known]);
  const idOf = async (which: string): Promise<number> =>
    Number((await run("id", [which, user])).stdout);
  const owner = { uid: await idOf("-u"), gid: await idOf("-g") };
  await makeOwned(owner, tenantState(name), 0o710);
  // Else a proxy that was started before core would see none for as long as it runs.
  await makeOwned(owner, join(tenantState(name), "metrics"), 0o710);
  return { name, owner };
}
