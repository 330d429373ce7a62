import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { BewaardError } from "#base/errors";

/** A node's Ed25519 key: signs checkpoints. Only core has it. */
export interface NodeKey {
  /** Log origin and key name: `bewaard/<site>/<node>`. */
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** Public half, as people pass it on: C2SP signed-note "vkey", `name+hash+base64`. */
export interface VerifierKey {
  readonly name: string;
  readonly hash: Buffer;
  readonly publicKey: KeyObject;
}

/** Signature type byte of Ed25519 (c2sp.org/signed-note). */
const ED25519 = 1;
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** A new private key as PKCS#8 PEM. */
export function newNodeKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** @throws BewaardError NODE_KEY when `pem` is no Ed25519 private key. */
export function parseNodeKey(name: string, pem: string): NodeKey {
  try {
    const privateKey = createPrivateKey(pem);
    if (privateKey.asymmetricKeyType === "ed25519") return { name, privateKey };
  } catch (cause) {
    throw new BewaardError("NODE_KEY", "node key: not a PEM private key", { cause });
  }
  throw new BewaardError("NODE_KEY", "node key: not an Ed25519 key; make one with `bewaard setup`");
}

/** The vkey text of `key`, to be pinned at the desk. */
export function verifierText(key: NodeKey): string {
  return vkeyText({ name: key.name, publicKey: createPublicKey(key.privateKey) });
}

export function vkeyText({ name, publicKey }: Pick<VerifierKey, "name" | "publicKey">): string {
  const typed = Buffer.concat([Uint8Array.of(ED25519), rawPublic(publicKey)]);
  return `${name}+${keyHash(name, typed).toString("hex")}+${typed.toString("base64")}`;
}

/** @throws BewaardError NODE_KEY when `text` is no Ed25519 vkey. */
export function parseVerifier(text: string): VerifierKey {
  const [, name, hash, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const typed = Buffer.from(encoded ?? "", "base64");
  if (!name || !hash || typed.length !== 33 || typed[0] !== ED25519) {
    throw new BewaardError("NODE_KEY", "not a node's public key (name+hash+base64)");
  }
  if (keyHash(name, typed).toString("hex") !== hash) {
    throw new BewaardError(
      "NODE_KEY",
      `public key of ${name}: name and key do not belong together`,
    );
  }
  const der = Buffer.concat([SPKI_PREFIX, typed.subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  return { name, hash: Buffer.from(hash, "hex"), publicKey };
}

/** Signs `text` (ending in a newline) as a C2SP signed note. */
export function signNote(key: NodeKey, text: string): string {
  const raw = rawPublic(createPublicKey(key.privateKey));
  const hash = keyHash(key.name, Buffer.concat([Uint8Array.of(ED25519), raw]));
  const signature = sign(null, Buffer.from(text), key.privateKey);
  return `${text}\n— ${key.name} ${Buffer.concat([hash, signature]).toString("base64")}\n`;
}

/** The public half as PEM, as `openssl pkeyutl` reads it. */
export function publicPem(key: VerifierKey): string {
  return key.publicKey.export({ type: "spki", format: "pem" }).toString();
}

/** The signed text, or undefined when `note` bears no valid signature of `key`, written in just one way. */
export function verifiedText(key: VerifierKey, note: string): string | undefined {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) return undefined;
  const text = note.slice(0, end + 1);
  for (const line of note.slice(end + 2, -1).split("\n")) {
    const [dash, name, encoded = ""] = line.split(" ");
    if (dash !== "—" || name !== key.name) continue;
    const signature = Buffer.from(encoded, "base64");
    if (signature.toString("base64") !== encoded) continue;
    if (!signature.subarray(0, 4).equals(key.hash)) continue;
    if (verify(null, Buffer.from(text), key.publicKey, signature.subarray(4))) return text;
  }
  return undefined;
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" }).subarray(SPKI_PREFIX.length);
}

function keyHash(name: string, typed: Uint8Array): Buffer {
  return createHash("sha256").update(`${name}\n`).update(typed).digest().subarray(0, 4);
}
