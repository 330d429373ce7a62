import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { leadingTo } from "../leading-to.ts";
import { notFit, type Seen, warning } from "./seen.ts";

/** What keeps dock and recorder, where they are users of their own, from what they need. Of modes alone: a list of access may let them. */
export async function lookAtParts({ spool, bodycams }: Config): Promise<readonly Seen[]> {
  const at = (name: string): string => join(spool.path, "incoming", name);
  const [core, dock, record] = await Promise.all([at(""), at("dock"), at("record")].map(statsOf));
  const isOwn = (one: Stats | undefined): boolean => one !== undefined && one.uid !== core?.uid;
  if (!isOwn(dock) && !isOwn(record)) return [];
  const seen = [
    isOwn(dock) && isOwn(record) ? undefined : lost(at("")),
    ...(await Promise.all((await leadingTo(spool.path)).map(letsThrough))),
    ...(await Promise.all(
      bodycams.map(async ({ folder }) => dock && (await letsIn(folder, dock))),
    )),
  ];
  return seen.filter((one) => one !== undefined);
}

function lost(incoming: string): Seen {
  return notFit(
    {
      nl: `${incoming}: de map van dock of opnemer is weg, of niet van hen`,
      en: `${incoming}: the folder of dock or recorder is gone, or not theirs`,
    },
    { nl: "als root: bewaard setup --parts", en: "as root: bewaard setup --parts" },
  );
}

async function letsThrough(path: string): Promise<Seen | undefined> {
  const found = await statsOf(path);
  if (!found || (found.mode & 0o001) !== 0) return undefined;
  return warning(
    {
      nl: `${path} laat dock en opnemer misschien niet door naar de spool`,
      en: `${path} may not let dock and recorder through to the spool`,
    },
    { nl: `chmod o+x ${path}`, en: `chmod o+x ${path}` },
  );
}

/** A folder that stands for a bodycam. */
async function letsIn(path: string, dock: Stats): Promise<Seen | undefined> {
  const found = await statsOf(path);
  if (!found || mayLookInto(found, dock)) return undefined;
  return warning(
    {
      nl: `${path}: het dock kan er misschien niet in lezen`,
      en: `${path}: the dock may not be able to read in it`,
    },
    { nl: `chmod o+rx ${path}, of een groep`, en: `chmod o+rx ${path}, or a group` },
  );
}

function mayLookInto({ uid, gid, mode }: Stats, dock: Stats): boolean {
  const others = gid === dock.gid ? mode >> 3 : mode;
  return ((uid === dock.uid ? mode >> 6 : others) & 0o5) === 0o5;
}

/** Undefined where there is nothing, or nothing that core may see. */
async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (["ENOENT", "EACCES"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
