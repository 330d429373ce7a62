import { BewaardError } from "#base/errors";
import type { PutRequest } from "../../storage/vault/s3-answers.ts";
import {
  FACTS,
  hashOf,
  outcomeOf,
  PLAINLY,
  type Probing,
  pieceOf,
  tried,
  type Written,
} from "./bucket-probe.ts";
import { type BucketRow, honoured, remark, say, unfit } from "./bucket-row.ts";

const TEXT = "bewaard check\n";
const OTHER = "not what was sealed\n";

/** Puts one object, as footage is put, and tells what of it arrived. Undefined when nothing can be put. */
export async function putRows(
  probing: Probing,
): Promise<{ rows: readonly BucketRow[]; written: Written | undefined }> {
  const { signal } = probing;
  let written: Written | undefined;
  const first = await tried("write", signal, async () => {
    const [one, row] = await putOnce(probing);
    written = one;
    return [row];
  });
  if (written === undefined) return { rows: first, written };
  const there = written;
  const rows = [
    ...first,
    ...(await tried("wrong hash", signal, async () => [await wrongHash(probing)])),
    ...(await tried("wrong checksum", signal, async () => [await wrongChecksum(probing)])),
    ...(await tried("metadata", signal, async () => [await metadata(probing, there)])),
    ...(await tried("read", signal, async () => [await readBack(probing, there)])),
    ...(await tried("range", signal, async () => [await range(probing, there)])),
  ];
  return { rows, written };
}

/** `once` where the provider knows it: then the second time must be refused. */
async function putOnce(probing: Probing): Promise<[Written, BucketRow]> {
  const { box, folder, signal } = probing;
  const key = `${folder}put`;
  const how: PutRequest = { ...PLAINLY, lockedUntil: probing.lockedUntil };
  const ignored = {
    means: say(
      "een tweede zending voegt een versie toe; bewaard kijkt ervoor en erna, en gaat uit van de eerste",
      "a second put adds a version; bewaard looks before and after, and goes by the first",
    ),
    todo: say("niets", "nothing"),
  };
  const first = await box.putObject(key, pieceOf(TEXT), how, signal);
  if (first === "taken") throw new BewaardError("VAULT_CONFLICT", `${key}: taken`);
  if (first === "no conditions") {
    const again = await box.putObject(key, pieceOf(TEXT), { ...how, once: false }, signal);
    if (typeof again === "string") throw new BewaardError("VAULT_CONFLICT", `${key}: ${again}`);
    const saw = say("If-None-Match is niet bekend", "If-None-Match is not known");
    return [{ key, versionId: again.versionId }, remark("write once", { saw, ...ignored })];
  }
  const written = { key, versionId: first.versionId };
  if ((await box.putObject(key, pieceOf(TEXT), how, signal)) === "taken") {
    const row = honoured("write once", "een tweede keer geweigerd", "refused a second time");
    return [written, row];
  }
  const saw = say("If-None-Match wordt genegeerd", "If-None-Match is silently ignored");
  return [written, remark("write once", { saw, ...ignored })];
}

/** The one check that every provider makes, and that bewaard relies on. */
async function wrongHash({ box, folder, signal }: Probing): Promise<BucketRow> {
  const piece = pieceOf(TEXT, OTHER);
  const came = await outcomeOf(() => box.putObject(`${folder}wrong-hash`, piece, PLAINLY, signal));
  if (came !== "done")
    return honoured("wrong hash", "geweigerd", "refused: x-amz-content-sha256 is compared");
  return unfit("wrong hash", {
    saw: say("aangenomen", "accepted: x-amz-content-sha256 is not compared"),
    means: say(
      "wat onderweg beschadigd raakt wordt bewaard als beeld, en de kaart wordt gewist",
      "what is damaged on its way is kept as footage, and its card is wiped",
    ),
    todo: say("neem een andere aanbieder", "take another provider"),
  });
}

async function wrongChecksum({ box, folder, signal }: Probing): Promise<BucketRow> {
  const how = { ...PLAINLY, checksum: hashOf(OTHER) };
  const put = () => box.putObject(`${folder}wrong-checksum`, pieceOf(TEXT), how, signal);
  if ((await outcomeOf(put)) !== "done")
    return honoured("wrong checksum", "geweigerd", "refused: x-amz-checksum-sha256 is compared");
  return remark("wrong checksum", {
    saw: say("x-amz-checksum-sha256 wordt genegeerd", "x-amz-checksum-sha256 is silently ignored"),
    means: say(
      "alleen de handtekening bewaakt de bytes; bewaard stuurt beide",
      "only the signed hash guards the bytes; bewaard sends both",
    ),
    todo: say("niets", "nothing"),
  });
}

async function metadata({ box }: Probing, { key, versionId }: Written): Promise<BucketRow> {
  const head = await box.headObject(key, versionId);
  const same = Object.entries(FACTS).every(([name, value]) => head.metadata[name] === value);
  if (same && head.bytes === TEXT.length)
    return honoured("metadata", "komt terug zoals gestuurd", "comes back as it was sent");
  return unfit("metadata", {
    saw: say("komt anders terug", "comes back otherwise"),
    means: say(
      "een nieuwe kast kan de catalogus niet uit de kluis opbouwen",
      "a new box cannot rebuild its catalog from the vault",
    ),
    todo: say("neem een andere aanbieder", "take another provider"),
  });
}

const UNREAD = {
  means: say(
    "wat aankwam kan niet nagelezen worden, en zonder dat wordt geen kaart gewist",
    "what arrived cannot be read back, and no card is wiped without that",
  ),
  todo: say("neem een andere aanbieder", "take another provider"),
};

async function readBack(probing: Probing, written: Written): Promise<BucketRow> {
  const text = await textOf(probing, written, undefined);
  if (text === TEXT) return honoured("read", "dezelfde bytes", "the same bytes");
  return unfit("read", { saw: say("andere bytes", "other bytes"), ...UNREAD });
}

async function range(probing: Probing, written: Written): Promise<BucketRow> {
  const text = await textOf(probing, written, { from: 3, to: 7 });
  if (text === TEXT.slice(3, 7)) return honoured("range", "gehonoreerd", "honoured");
  return unfit("range", {
    saw: say(`gaf ${text.length} bytes, niet 4`, `gave ${text.length} bytes, not 4`),
    ...UNREAD,
  });
}

async function textOf(
  { box, signal }: Probing,
  { key, versionId }: Written,
  part: { from: number; to: number } | undefined,
): Promise<string> {
  const chunks = await Array.fromAsync(box.getObject(key, versionId, part, signal));
  return Buffer.concat(chunks).toString("latin1");
}
