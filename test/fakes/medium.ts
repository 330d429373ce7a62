import { rename } from "node:fs/promises";
import { join } from "node:path";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, instant } from "#base/time";
import { enforcer } from "../../daemon/enforce-holds.ts";
import { type Medium, type SeparateCopy, secure } from "../../daemon/secure.ts";
import { recordHold, recordRelease } from "../../storage/catalog/holds.ts";
import { rememberedMedium } from "../../storage/catalog/medium.ts";
import { createDirectoryVault, openDirectoryVault } from "../../storage/vault/directory.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { OWNER, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

export const HOLD = parseHoldId("01J00000000000000000000001");
export const OTHER_HOLD = parseHoldId("01J00000000000000000000002");

/** A removable disk of the rig's box, mounted at `medium`. */
export async function openDisk(rig: Rig, serial = "WD-123", folder = "medium"): Promise<Medium> {
  const root = join(rig.folder, folder);
  await createDirectoryVault(root);
  return namedDisk(rig, serial, folder);
}

/** What is mounted there, under that name. */
export async function namedDisk(rig: Rig, serial: string, folder = "medium"): Promise<Medium> {
  const name = { kind: "usb-schijf", serial };
  const recognise = rememberedMedium(rig.database, () => rig.clock.now(), name);
  return { ...name, vault: await openDirectoryVault(join(rig.folder, folder), recognise) };
}

export const unplug = (rig: Rig) => rename(join(rig.folder, "medium"), join(rig.folder, "drawer"));
export const present = (rig: Rig) => rename(join(rig.folder, "drawer"), join(rig.folder, "medium"));

export async function hold(rig: Rig, id: SegmentId, by = HOLD): Promise<void> {
  const asked = { id: by, incident: "zaak-1", deskNumber: 1, owner: OWNER, segments: [id] };
  const reviewAt = instant(9e12);
  await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), { ...asked, reviewAt }));
}

export async function release(rig: Rig, by = HOLD): Promise<void> {
  await rig.database.transaction((sql) => recordRelease(sql, rig.clock.now(), by, 2));
}

/** One turn of the loop. */
export async function secureOnce(
  rig: Rig,
  medium: Medium | undefined,
  options: { mayDestroy?: boolean; policy?: SeparateCopy; vault?: Vault; count?: number } = {},
): Promise<void> {
  const { clock, signal } = turns(rig.clock, options.count ?? 1);
  const { mayDestroy = true, vault = rig.vault } = options;
  const policy = options.policy ?? { wanted: true, destroyWithinMs: 7 * DAY_MS };
  const { events, database, spool, box } = rig;
  const may = async () => mayDestroy;
  await secure(clock, events, database, spool, vault, box.node, medium, policy, may, signal);
}

/** One turn of what sets holds in the vault. */
export async function enforceOnce(rig: Rig, separate: boolean, vault = rig.vault): Promise<void> {
  const { clock, events, database, box } = rig;
  await enforcer(clock, events, database, vault, box.node, separate)(clock.now());
}

export async function rowsOf(rig: Rig, sql: string) {
  return rig.database.transaction((one) => one.all(sql));
}
