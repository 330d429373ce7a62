import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import type { NodeId, SegmentId } from "#base/ids";
import type { Clock } from "#base/time";
import { readPolicy } from "../../config/load.ts";
import { readSecretFile } from "../../config/secrets.ts";
import { openSealed } from "../../storage/seal/open.ts";
import { decrypterOf, openText } from "../../storage/seal/small.ts";
import { findInLedger } from "./node-ledger.ts";
import { appendEntry, demoOnly, type Station } from "./station.ts";

const dayKey = z.object({ day: z.string(), identity: z.string() });

/**
 * Opens one segment and yields its bytes as the camera wrote them. The opening is in the chain before the
 * first byte flows; a normal end says that the hash is the one the box's ledger has. On a demo site only.
 * @throws BewaardError DESK_FORBIDDEN, DESK_NOT_FOUND, DESK_TAMPERED, SEAL_BROKEN.
 */
export async function* openFootage(
  clock: Clock,
  station: Station,
  segment: { readonly node: NodeId; readonly id: SegmentId },
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  demoOnly(station, "Openen / Opening");
  const { vault, config } = station;
  const { purposes } = await readPolicy(config.policy);
  if (!purposes.includes(purpose)) {
    const message = `doel "${purpose}" staat niet in het beleid; kies uit / choose from: ${purposes.join(", ")}`;
    throw new BewaardError("DESK_INPUT", message);
  }
  const { node, id } = segment;
  const known = await findInLedger(vault, config.nodes, config.site, node, id, signal);
  const identity = await dayIdentity(station, known.sealedFor, officerKeyPath);
  const [version] = await vault.versions(known.key);
  if (!version)
    throw new BewaardError("DESK_NOT_FOUND", `${id} is er niet (meer) / is not there any more`);
  await appendEntry(clock, station, { kind: "open", segment: { node, id }, purpose }, signal);

  const hash = createHash("sha256");
  const sealed = vault.read(known.key, version.versionId, signal);
  for await (const chunk of openSealed(sealed, decrypterOf(identity))) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== known.plaintextSha256) {
    throw new BewaardError(
      "DESK_TAMPERED",
      `${id}: de hash klopt niet met het logboek / is not the ledger's`,
    );
  }
}

/** The identity of a day, from the officer's file. @throws BewaardError DESK_NOT_FOUND, DESK_FORBIDDEN. */
export async function dayIdentity(
  { folder }: Station,
  day: string,
  officerKeyPath: string,
): Promise<string> {
  const officerKey = await readSecretFile(officerKeyPath);
  const text = await ownFile(folder, officerKey);
  for (const line of text.split("\n").slice(0, -1)) {
    const parsed = dayKey.safeParse(JSON.parse(line));
    if (parsed.success && parsed.data.day === day) return parsed.data.identity;
  }
  throw new BewaardError("DESK_NOT_FOUND", `geen sleutel voor ${day} / no key for that day`);
}

/** What the ceremony gave to the officer with this key, whichever of the files it is. */
async function ownFile(folder: string, officerKey: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /^officer-\d+\.age$/.test(name));
  for (const name of names.toSorted()) {
    try {
      return await openText(officerKey, await readFile(join(folder, name)));
    } catch (error) {
      if (!(error instanceof BewaardError && error.code === "SEAL_NOT_FOR_US")) throw error;
    }
  }
  throw new BewaardError(
    "DESK_KEY",
    "deze sleutel is van geen functionaris hier / no officer's key here",
  );
}
