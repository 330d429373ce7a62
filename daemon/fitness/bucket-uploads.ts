import type { Upload, UploadPart } from "../../storage/vault/s3-answers.ts";
import { FACTS, outcomeOf, type Probing, pieceOf, tried, type Written } from "./bucket-probe.ts";
import { type BucketRow, honoured, remark, say, unfit } from "./bucket-row.ts";

const TEXT = "bewaard check, in parts\n";

/** Uploads in parts over `first`, so that its key has two versions where the provider lets it. */
export async function uploadRows(
  probing: Probing,
  first: Written,
): Promise<{ rows: readonly BucketRow[]; uploaded: Written | undefined }> {
  const { signal } = probing;
  let uploaded: Written | undefined;
  const rows = [
    ...(await tried("upload", signal, async () => {
      const [row, written] = await inParts(probing, `${probing.folder}upload`);
      uploaded = written;
      return [row];
    })),
    ...(await tried("upload abort", signal, async () => [await aborted(probing)])),
    ...(await tried("upload once", signal, async () => [await overwriting(probing, first)])),
    ...(await tried("version pages", signal, async () => [await pages(probing, first)])),
  ];
  return { rows, uploaded };
}

async function inParts(probing: Probing, key: string): Promise<[BucketRow, Written | undefined]> {
  const { box, lockedUntil, signal } = probing;
  const uploadId = await box.createUpload(key, FACTS, lockedUntil);
  const upload = { key, uploadId };
  const part = await partOf(probing, upload);
  const versionId = (await box.completeUpload(upload, [part], signal)) ?? (await latest(box, key));
  if (versionId === undefined) {
    const saw = say("na afloop is er niets", "nothing is there afterwards");
    return [unfit("upload", { saw, ...USELESS }), undefined];
  }
  const { bytes } = await box.headObject(key, versionId);
  const written = { key, versionId };
  if (bytes === TEXT.length) return [honoured("upload", "in delen", "in parts"), written];
  const saw = say(`${bytes} bytes, niet ${TEXT.length}`, `${bytes} bytes, not ${TEXT.length}`);
  return [unfit("upload", { saw, ...USELESS }), written];
}

const USELESS = {
  means: say("lange opnamen komen niet heel aan", "long recordings do not arrive whole"),
  todo: say("neem een andere aanbieder", "take another provider"),
};

function partOf({ box, signal }: Probing, upload: Upload): Promise<UploadPart> {
  return box.uploadPart(upload, 1, pieceOf(TEXT), signal);
}

async function latest(box: Probing["box"], key: string): Promise<string | undefined> {
  const { versions } = await box.listVersions(key, undefined, 1);
  return versions.find((one) => one.key === key && !one.marker)?.versionId;
}

async function aborted(probing: Probing): Promise<BucketRow> {
  const { box, folder } = probing;
  const key = `${folder}aborted`;
  const upload = { key, uploadId: await box.createUpload(key, FACTS) };
  await partOf(probing, upload);
  const seen = await box.listUploads(folder);
  await box.abortUpload(upload);
  const left = await box.listUploads(folder);
  const isThere = (all: readonly Upload[]) =>
    all.some(({ uploadId }) => uploadId === upload.uploadId);
  if (isThere(seen) && !isThere(left))
    return honoured("upload abort", "gezien, en weer weg", "seen, and gone again");
  return unfit("upload abort", {
    saw: isThere(left) ? say("blijft staan", "stays") : say("is niet te zien", "cannot be seen"),
    means: say(
      "delen van een afgebroken zending blijven liggen, en niemand ziet ze",
      "parts of an upload that broke off stay, and nobody sees them",
    ),
    todo: say("neem een andere aanbieder", "take another provider"),
  });
}

/** Whether Complete heeds `If-None-Match` where something is: most do not. */
async function overwriting(probing: Probing, { key }: Written): Promise<BucketRow> {
  const { box, lockedUntil, signal } = probing;
  const upload = { key, uploadId: await box.createUpload(key, FACTS, lockedUntil) };
  const part = await partOf(probing, upload);
  const before = await count(box, key);
  const came = await outcomeOf(() => box.completeUpload(upload, [part], signal));
  if ((await count(box, key)) === before)
    return honoured("upload once", `een tweede keer geweigerd (${came})`, "refused a second time");
  return remark("upload once", {
    saw: say("If-None-Match telt niet bij Complete", "If-None-Match is ignored on Complete"),
    means: say(
      "een tweede zending voegt een versie toe; bewaard kijkt ervoor en erna, en gaat uit van de eerste",
      "a second upload adds a version; bewaard looks before and after, and goes by the first",
    ),
    todo: say("niets", "nothing"),
  });
}

async function count(box: Probing["box"], key: string): Promise<number> {
  return (await box.listVersions(key, undefined, 1000)).versions.length;
}

/** Pages that end inside a key must go on there: some providers lose what is left of it. */
async function pages({ box }: Probing, { key }: Written): Promise<BucketRow> {
  const whole = (await box.listVersions(key, undefined, 1000)).versions;
  const found = new Set<string>();
  let after: Awaited<ReturnType<typeof box.listVersions>>["next"];
  // One page more than there are versions: who loses some may also go round.
  for (let page = 0; page <= whole.length; page += 1) {
    const { versions, next } = await box.listVersions(key, after, 1);
    for (const { versionId } of versions) found.add(versionId);
    after = next;
    if (after === undefined) break;
  }
  const seen = `${found.size} / ${whole.length}`;
  if (found.size === whole.length)
    return honoured("version pages", `alle versies (${seen})`, `every version (${seen})`);
  return unfit("version pages", {
    saw: say(`versies gemist: ${seen}`, `versions missed: ${seen}`),
    means: say(
      "bij vernietigen blijft een versie over die niemand ziet",
      "a version that nobody sees is left when footage is destroyed",
    ),
    todo: say("neem een andere aanbieder", "take another provider"),
  });
}
