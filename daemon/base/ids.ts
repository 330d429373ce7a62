declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** ULID of 26 characters naming one segment for ever; its file name and the end of its vault key. */
export type SegmentId = Branded<string, "SegmentId">;

/** ULID of 26 characters naming one hold (*veiligstelling*). */
export type HoldId = Branded<string, "HoldId">;

/** ULID of 26 characters naming one duty: what people must still do (AR-41). */
export type DutyId = Branded<string, "DutyId">;

/** A camera's one number (AR-01), lower case: `bc-0101`. Part of every vault key. */
export type DeviceId = Branded<string, "DeviceId">;

/** The name of one box, lower case: `dock-1`. Part of every vault key. */
export type NodeId = Branded<string, "NodeId">;

/** A person's pseudonym in ledger and desk entries. Never a name. */
export type PersonId = Branded<string, "PersonId">;

/** Lower-case hex SHA-256 of the bytes as the camera wrote them, 64 characters. */
export type Sha256 = Branded<string, "Sha256">;

/** Lower-case hex SHA-256 of one part (at most 64 MiB) of a sealed file, 64 characters. */
export type CiphertextSha256 = Branded<string, "CiphertextSha256">;

export function parseSegmentId(text: string): SegmentId {
  if (!isSegmentId(text)) throw new TypeError(`not a segment id: ${text}`);
  return text;
}

export function parseHoldId(text: string): HoldId {
  if (!isHoldId(text)) throw new TypeError(`not a hold id: ${text}`);
  return text;
}

export function parseDutyId(text: string): DutyId {
  if (!isDutyId(text)) throw new TypeError(`not a duty id: ${text}`);
  return text;
}

export function parseDeviceId(text: string): DeviceId {
  if (!isDeviceId(text)) throw new TypeError(`not a camera number: ${text}`);
  return text;
}

export function parseNodeId(text: string): NodeId {
  if (!isNodeId(text)) throw new TypeError(`not a node name: ${text}`);
  return text;
}

export function parsePersonId(text: string): PersonId {
  if (!isPersonId(text)) throw new TypeError(`not a person's pseudonym: ${text}`);
  return text;
}

export function parseSha256(text: string): Sha256 {
  if (!isSha256(text)) throw new TypeError(`not a sha-256: ${text}`);
  return text;
}

export function parseCiphertextSha256(text: string): CiphertextSha256 {
  if (!isCiphertextSha256(text)) throw new TypeError(`not a sha-256: ${text}`);
  return text;
}

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HASH = /^[0-9a-f]{64}$/;

// The predicates are the only places where a plain string may become a branded one.
const isSegmentId = (text: string): text is SegmentId => ULID.test(text);
const isHoldId = (text: string): text is HoldId => ULID.test(text);
const isDutyId = (text: string): text is DutyId => ULID.test(text);
const isDeviceId = (text: string): text is DeviceId => NAME.test(text);
const isNodeId = (text: string): text is NodeId => NAME.test(text);
const isPersonId = (text: string): text is PersonId => NAME.test(text);
const isSha256 = (text: string): text is Sha256 => HASH.test(text);
const isCiphertextSha256 = (text: string): text is CiphertextSha256 => HASH.test(text);
