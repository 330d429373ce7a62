import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ulid } from "ulid";
import { syncDirectory, writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { step } from "#base/step";
import { agrees, inclusive } from "./body.ts";
import {
  exists,
  heldError,
  inVaultWords,
  makeFolder,
  namesIn,
  notFound,
  readText,
  removeIfEmpty,
  sizeOf,
  translated,
  translating,
  wentAway,
} from "./directory-files.ts";
import {
  isUlid,
  LEAVING,
  OBJECT_MARK,
  objectFolders,
  PUTTING,
  parseKey,
  unfinishedWrites,
  WRITING,
} from "./directory-layout.ts";
import { writeVersion } from "./directory-write.ts";
import type { ObjectBody, ObjectFacts, ObjectVersion, Traces, Vault } from "./vault.ts";

const IDENTITY = "bewaard-vault.json";
/** The layout of folders below. A vault of before it was written down has none, and is 1. */
const VERSION = 1;

/**
 * Says whether the vault with this id is the right one.
 * @throws BewaardError VAULT_IDENTITY (transient) when another disk is mounted in its place.
 */
export type Recognise = (id: string) => Promise<void>;

// A desk obeys signatures, not a place: any vault will do.
const anyVault: Recognise = async () => undefined;

/** Makes an empty folder a vault. Harmless on one that is a vault already. */
export async function createDirectoryVault(root: string): Promise<void> {
  await mkdir(join(root, WRITING), { recursive: true });
  if (await exists(join(root, IDENTITY))) return;
  await writeDurably(join(root, IDENTITY), identityText(), 0o600);
}

function identityText(): string {
  return `${JSON.stringify({ version: VERSION, vault: randomUUID() })}\n`;
}

/**
 * A vault in a folder: a NAS, or a disk of the demo. An object is a folder `<key>~`, each version in it
 * a folder with `body`, `facts.json` and, when held, `held`. Atomic by rename: a whole version is
 * prepared under `.writing/` and then named; destruction takes the name away first.
 *
 * Every call throws BewaardError VAULT_IDENTITY (transient) while the folder is no vault: a NAS that is
 * not mounted looks like that, and nothing may be written into its mount point.
 */
export async function openDirectoryVault(
  root: string,
  recognise: Recognise = anyVault,
): Promise<Vault> {
  const folderOf = (key: string): string => join(root, `${parseKey(key)}${OBJECT_MARK}`);
  const at = (key: string, version: string, name: string) => join(folderOf(key), version, name);
  let recognised: string | undefined;
  const present = async (): Promise<void> => {
    const id = await identityOf(root);
    if (id !== recognised) await recognise(id);
    recognised = id;
  };

  const vault: Vault = {
    level: "directory",
    async put(key, body, { facts, held }, signal) {
      await present();
      const once = await putOnce(root, folderOf(key), key, body, facts, held, signal);
      return once ?? (await alreadyThere(vault, key, body, held, signal));
    },
    async *read(key, versionId, signal, range) {
      await present();
      const options = { highWaterMark: 1 << 20, signal, ...inclusive(range) };
      yield* translating(key, createReadStream(at(key, versionId, "body"), options));
    },
    async facts(key, versionId) {
      await present();
      return factsIn(key, await readText(at(key, versionId, "facts.json"), key));
    },
    async versions(key) {
      await present();
      return versionsIn(folderOf(key), key);
    },
    async *list(prefix, signal, after = "") {
      await present();
      for await (const key of translating(prefix, objectFolders(root, prefix))) {
        signal.throwIfAborted();
        if (key <= after) continue;
        yield* await versionsIn(folderOf(key), key);
      }
    },
    async unfinished(prefix) {
      await present();
      return (await keysUnfinished(root)).filter((key) => key.startsWith(prefix));
    },
    async abandon(key) {
      await present();
      for (const write of await unfinishedWrites(root))
        if (write.key === key) await inVaultWords(key, abandonWrite(root, folderOf(key), write));
    },
    unhide: present,
    traces: async (key) => (await present(), tracesIn(root, folderOf(key), key)),
    async setHold(key, versionId, held) {
      await present();
      await mark(at(key, versionId, "held"), key, held);
      if ((await vault.isHeld(key, versionId)) !== held) throw notAsSet(key);
    },
    async isHeld(key, versionId) {
      await present();
      if (!(await exists(at(key, versionId, "body")))) throw notFound(key);
      return exists(at(key, versionId, "held"));
    },
    async destroy(key, versionId) {
      await present();
      await inVaultWords(key, destroyVersion(root, folderOf(key), key, versionId));
    },
    async [Symbol.asyncDispose]() {},
  };
  return vault;
}

/** Undefined when something is stored under this key already. */
async function putOnce(
  root: string,
  folder: string,
  key: string,
  body: ObjectBody,
  facts: ObjectFacts,
  held: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const writing = join(root, WRITING, `${PUTTING}${ulid()}`);
  const versionId = ulid();
  try {
    await writeVersion(join(writing, versionId), key, body, facts, held, signal);
    step("store.copied");
    await makeFolder(dirname(folder), root);
    await rename(writing, folder);
  } catch (error) {
    await inVaultWords(key, rm(writing, { recursive: true, force: true }));
    const code = systemCode(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return undefined;
    // Nothing is looked for here that may rightly be missing.
    if (code === "ENOENT") throw wentAway(key, error);
    throw translated(error, key);
  }
  step("store.named");
  await inVaultWords(key, syncDirectory(dirname(folder)));
  return versionId;
}

async function alreadyThere(
  vault: Vault,
  key: string,
  body: ObjectBody,
  held: boolean,
  signal: AbortSignal,
): Promise<string> {
  const [version] = await vault.versions(key);
  if (!version) {
    throw new BewaardError("VAULT_UNAVAILABLE", `${key}: came and went`, { transient: true });
  }
  try {
    await agrees(vault.read(key, version.versionId, signal), body, key);
  } catch (cause) {
    if (!(cause instanceof BewaardError && cause.code === "VAULT_CORRUPT")) throw cause;
    throw new BewaardError("VAULT_CONFLICT", `${key}: other bytes are stored there`, { cause });
  }
  if (held) await vault.setHold(key, version.versionId, true);
  return version.versionId;
}

function notAsSet(key: string): BewaardError {
  const message = `${key}: the hold did not stay as it was set`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}

async function mark(path: string, key: string, held: boolean): Promise<void> {
  try {
    if (held) await writeDurably(path, "", 0o600);
    else await rm(path, { force: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw translated(error, key);
  }
}

/**
 * Takes the version's name away, then its bytes. A hold set in the same moment either is there after
 * the move, and the version goes back, or finds nothing to hold and says so (invariant 4).
 */
async function destroyVersion(
  root: string,
  folder: string,
  key: string,
  versionId: string,
): Promise<void> {
  const version = join(folder, versionId);
  if (await exists(join(version, "held"))) throw heldError(key);
  const leaving = join(root, WRITING, `${LEAVING}${ulid()}`);
  try {
    await mkdir(leaving);
    await rename(version, join(leaving, versionId));
  } catch (error) {
    await rm(leaving, { recursive: true, force: true });
    if (systemCode(error) === "ENOENT") return;
    throw translated(error, key);
  }
  step("destroy.version-moved");
  await abandonWrite(root, folder, { folder: leaving, versionId, leaving: true });
  if (await exists(version)) throw heldError(key);
  await removeIfEmpty(folder);
}

/** Removes what a write left under `.writing/`; a held version on its way out goes back instead. */
async function abandonWrite(
  root: string,
  folder: string,
  write: { readonly folder: string; readonly versionId: string; readonly leaving: boolean },
): Promise<void> {
  const version = join(write.folder, write.versionId);
  if (write.leaving && (await exists(join(version, "held")))) {
    await makeFolder(folder, root);
    await rename(version, join(folder, write.versionId));
    await syncDirectory(folder);
  } else {
    // The bytes first, and what says whose they are last: cut off anywhere, they are found again.
    await rm(join(version, "body"), { force: true });
    await syncDirectory(version);
    await rm(version, { recursive: true, force: true });
  }
  await rm(write.folder, { recursive: true, force: true });
  await syncDirectory(dirname(write.folder));
}

async function versionsIn(folder: string, key: string): Promise<readonly ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  for (const versionId of (await namesIn(folder)).filter(isUlid).toSorted()) {
    const bytes = await sizeOf(join(folder, versionId, "body"));
    if (bytes !== undefined) found.push({ key, versionId, bytes });
  }
  return found;
}

async function keysUnfinished(root: string): Promise<readonly string[]> {
  return (await unfinishedWrites(root)).map(({ key }) => key);
}

async function tracesIn(root: string, folder: string, key: string): Promise<Traces> {
  const versions = await versionsIn(folder, key);
  const unfinished = (await keysUnfinished(root)).filter((one) => one === key).length;
  return { versions: versions.length, markers: 0, unfinished };
}

function factsIn(key: string, text: string): ObjectFacts {
  const parsed = parsedFacts(key, text);
  if (typeof parsed !== "object" || parsed === null || !("facts" in parsed)) return {};
  const facts: unknown = parsed.facts;
  if (typeof facts !== "object" || facts === null) return {};
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));
}

function parsedFacts(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BewaardError("VAULT_CORRUPT", `${key}: its facts cannot be read`, { cause });
  }
}

async function identityOf(root: string): Promise<string> {
  if (!(await exists(join(root, IDENTITY)))) {
    const message = `${root} is no bewaard vault: is it mounted? A new one is made by \`bewaard setup\``;
    throw new BewaardError("VAULT_IDENTITY", message, { transient: true });
  }
  const text = await readText(join(root, IDENTITY), IDENTITY);
  const [, version] = /"version":\s*(\d+)/.exec(text) ?? [];
  if (Number(version ?? VERSION) <= VERSION) return text;
  const message = `${root} has layout ${version}, this bewaard knows ${VERSION}: install the newer one`;
  throw new BewaardError("VAULT_VERSION", message, { transient: true });
}
