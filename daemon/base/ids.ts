declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** ULID of 26 characters naming one segment for ever; its file name and the end of its vault key. */
export type SegmentId = Branded<string, "SegmentId">;

/** ULID of 26 characters naming one hold (*veiligstelling*). */
export type HoldId = Branded<string, "HoldId">;

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
  if (!isUlid<SegmentId>(text)) throw new TypeError(`not a segment id: ${text}`);
  return text;
}

export function parseHoldId(text: string): HoldId {
  if (!isUlid<HoldId>(text)) throw new TypeError(`not a hold id: ${text}`);
  return text;
}

export function parseDeviceId(text: string): DeviceId {
  if (!isName<DeviceId>(text)) throw new TypeError(`not a camera number: ${text}`);
  return text;
}

export function parseNodeId(text: string): NodeId {
  if (!isName<NodeId>(text)) throw new TypeError(`not a node name: ${text}`);
  return text;
}

export function parsePersonId(text: string): PersonId {
  if (!isName<PersonId>(text)) throw new TypeError(`not a person's pseudonym: ${text}`);
  return text;
}

export function parseSha256(text: string): Sha256 {
  if (!isHash<Sha256>(text)) throw new TypeError(`not a sha-256: ${text}`);
  return text;
}

export function parseCiphertextSha256(text: string): CiphertextSha256 {
  if (!isHash<CiphertextSha256>(text)) throw new TypeError(`not a sha-256: ${text}`);
  return text;
}

// The predicates are the only places where a plain string may become a branded one.
function isUlid<Id extends string>(text: string): text is Id {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
}

function isName<Id extends string>(text: string): text is Id {
  return /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(text);
}

function isHash<Hash extends string>(text: string): text is Hash {
  return /^[0-9a-f]{64}$/.test(text);
}
