import { join } from "node:path";
import { DAY_MS, type Instant } from "#base/time";
import { backup } from "../../daemon/backup/backup.ts";
import type { BackedUp } from "../../daemon/backup/make.ts";
import { makeRecoveryKey } from "../../daemon/backup/recovery-key.ts";
import { confirmTime } from "../../daemon/trust.ts";
import { backupPrefix } from "../../storage/vault/keys.ts";
import { NEVER, openRig, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

/** What the loop is run with: a rig, or as much of one as a process of its own has. */
export type Backing = Pick<
  Rig,
  "folder" | "clock" | "events" | "database" | "vault" | "box" | "key" | "askHistory"
>;

function backedUp({ folder, box, key }: Pick<Rig, "folder" | "box" | "key">): BackedUp {
  return {
    node: box.node,
    key,
    termMs: 28 * DAY_MS,
    catalog: join(folder, "catalog.db"),
    copy: join(folder, "backup.db"),
    sealed: join(folder, "backup.age"),
    recipients: join(folder, "recovery.txt"),
    spool: folder,
    keepFreeBytes: 0,
  };
}

/** Lets the loop look so many times, ten minutes apart. The first is the start, at which it does nothing. */
export async function lookForBackup(
  backing: Backing,
  times: number,
  more: Partial<BackedUp> = {},
): Promise<void> {
  const { events, database, vault, askHistory } = backing;
  const box = { ...backedUp(backing), ...more };
  const { clock, signal } = turns(backing.clock, times);
  await backup(clock, events, database, vault, box, askHistory, signal);
}

/** Where nobody needs to see a recovery key that is made. */
export async function unseen(): Promise<void> {}

/** A rig whose time is trusted, with a recovery key. */
export async function openBackedUpRig(): Promise<Rig & { readonly envelope: string }> {
  const rig = await openRig();
  const { identity } = await makeRecoveryKey(join(rig.folder, "recovery.txt"), "x25519", unseen);
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  return { ...rig, envelope: identity };
}

/** Keys under `backup/`, in their order. */
export async function backupsOf({ vault, box }: Pick<Rig, "vault" | "box">) {
  const found = await Array.fromAsync(vault.list(backupPrefix(box.node), NEVER));
  return found.map(({ key }) => key.replace(backupPrefix(box.node), ""));
}

export function nameOf(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}
