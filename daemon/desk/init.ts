import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { split } from "shamir-secret-sharing";
import { stringify } from "yaml";
import { writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { type Clock, DAY_MS, dayOf, type Instant, plus } from "#base/time";
import { plain } from "../../config/plain.ts";
import type { DeskConfig } from "../../config/schema.ts";
import { jsonSchema } from "../../config/shape.ts";
import type { RecipientKind } from "../../storage/seal/recipients.ts";
import { sealText } from "../../storage/seal/small.ts";
import type { Credential } from "../../storage/vault/bucket.ts";
import { deskKey } from "../../storage/vault/keys.ts";
import { openVault } from "../open-vault.ts";
import { appendEntry, CUSTODIAN, openStation, signersOf } from "./station.ts";

export interface Ceremony {
  /** Empty folder for the station. */
  readonly folder: string;
  readonly config: DeskConfig;
  readonly kind: RecipientKind;
  /** First day, and for how many days identities are minted. */
  readonly from: Instant;
  readonly days: number;
  /** What a bucket knows the custodians by; a directory asks for none. */
  readonly credential?: Credential;
}

/** Two of any number of officers open a day: one alone opens nothing (AR-21). */
const THRESHOLD = 2;

/**
 * Makes a desk station: mints a day identity for each day, writes the public halves for the boxes, and
 * gives the secret ones to the officers – each day split so that two of them are needed, or whole to the
 * one person of a demo. No secret half is ever written in the clear. Then begins the chain.
 * `progress` is told after each day.
 */
export async function initDesk(
  clock: Clock,
  ceremony: Ceremony,
  progress: (day: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { folder, config } = ceremony;
  if (!config.demo && config.officers.length < THRESHOLD) {
    throw new BewaardError(
      "DESK_INPUT",
      "name at least two officers: --officer age1… --officer age1…",
    );
  }
  const signers = await allowedSigners(config);
  await lookAtVault(clock, ceremony);
  await newFolder(folder);
  try {
    await writeDurably(signersOf(folder), signers, 0o644);
    await writeCredential(ceremony);
    await writeKeys(ceremony, progress);
    await writeDurably(
      join(folder, "desk.yaml"),
      stringify(plain(config, jsonSchema("desk"))),
      0o600,
    );
    await using station = await openStation(folder);
    const { demo, person, nodes } = config;
    await appendEntry(clock, station, { kind: "init", demo, people: [person], nodes }, signal);
  } catch (error) {
    // Keys of a ceremony that did not end must seal nothing.
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Before anything is made: a vault that is not there, or does not know us, ends the ceremony. */
async function lookAtVault(clock: Clock, { config, credential }: Ceremony): Promise<void> {
  await using vault = await openVault(clock, config.vault, {
    async credentials() {
      if (credential !== undefined) return { box: credential };
      throw new BewaardError("DESK_INPUT", "the vault is a bucket: name the file --credential");
    },
  });
  await vault.versions(deskKey(1));
}

async function writeCredential({ folder, credential }: Ceremony): Promise<void> {
  if (credential === undefined) return;
  const line = `${credential.accessKeyId}:${credential.secretAccessKey}\n`;
  await writeDurably(join(folder, CUSTODIAN), line, 0o600);
}

async function writeKeys(ceremony: Ceremony, progress: (day: number) => void): Promise<void> {
  const { folder, config } = ceremony;
  const minted = await mint(ceremony, progress);
  for (const [index, lines] of minted.secrets.entries()) {
    const recipient = config.officers[index] ?? "";
    const sealed = await sealText([recipient], lines.join(""));
    await writeDurably(join(folder, `officer-${index + 1}.age`), sealed, 0o600);
  }
  await writeDurably(join(folder, "recipients.txt"), minted.book.join(""), 0o644);
}

/** Public lines for the boxes, and for each officer one line a day. */
async function mint(
  { config, kind, from, days }: Ceremony,
  progress: (day: number) => void,
): Promise<{ book: string[]; secrets: string[][] }> {
  const book: string[] = [];
  const secrets: string[][] = config.officers.map(() => []);
  for (let index = 0; index < days; index += 1) {
    const day = dayOf(plus(from, index * DAY_MS));
    const identity =
      kind === "pq" ? await generateHybridIdentity() : await generateX25519Identity();
    book.push(`${day} ${await identityToRecipient(identity)}\n`);
    for (const [officer, part] of (await parts(identity, config)).entries()) {
      secrets[officer]?.push(`${JSON.stringify({ day, ...part })}\n`);
    }
    progress(index + 1);
  }
  return { book, secrets };
}

async function parts(
  identity: string,
  { demo, officers }: DeskConfig,
): Promise<readonly ({ identity: string } | { share: string; threshold: number })[]> {
  if (demo) return officers.map(() => ({ identity }));
  const shares = await split(new TextEncoder().encode(identity), officers.length, THRESHOLD);
  return shares.map((share) => ({
    share: Buffer.from(share).toString("base64"),
    threshold: THRESHOLD,
  }));
}

async function newFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    if (systemCode(cause) !== "EEXIST") throw cause;
    throw new BewaardError("DESK_INPUT", `${folder} exists: a ceremony begins in a new folder`, {
      cause,
    });
  }
}

/** One line of allowed_signers for the person whose key this is. */
async function allowedSigners({ person, sign_key: path }: DeskConfig): Promise<string> {
  const file = path.endsWith(".pub") ? path : `${path}.pub`;
  try {
    const [type, key] = (await readFile(file, "utf8")).split(" ");
    return `${person} namespaces="bewaard-desk" ${type} ${key?.trim()}\n`;
  } catch (cause) {
    throw new BewaardError("DESK_KEY", `${file} cannot be read (${systemCode(cause)})`, { cause });
  }
}
