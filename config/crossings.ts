import { resolve, sep } from "node:path";
import { z } from "zod";
import type { Read } from "./document.ts";
import type { Mistake } from "./mistake.ts";

// What one key says against another. Looked at in what was written, whatever else is wrong in the file,
// so that one run names every mistake.

const text = z.string().optional().catch(undefined);
const bodycam = z.looseObject({ number: text, folder: text }).catch({});
const camera = z.looseObject({ number: text, url: text }).catch({});
const bucket = z
  .looseObject({ provider: text, region: text, endpoint: text, bucket: text })
  .catch({});
const place = z.looseObject({ directory: text, s3: bucket.optional() }).catch({});
const written = z
  .looseObject({
    state: text,
    recorder: z.looseObject({ state: text }).catch({}),
    spool: z.looseObject({ path: text }).catch({}),
    vault: place,
    secured: place,
    docks: z.looseObject({ wipe_after: text }).catch({}),
    recipients: text,
    backup: z.looseObject({ recipients: text }).catch({}),
    desk_signers: text,
    bodycams: z.array(bodycam).catch([]),
    cameras: z.array(camera).catch([]),
  })
  .catch({
    recorder: {},
    spool: {},
    vault: {},
    secured: {},
    docks: {},
    backup: {},
    bodycams: [],
    cameras: [],
  });

interface Place {
  readonly path: readonly (string | number)[];
  readonly folder: string;
}

/** Every key of a box's file that goes against another one. */
export function crossings(read: Read<unknown>): readonly Mistake[] {
  const box = written.parse(read.raw);
  const cameras = box.bodycams.map(({ folder }, index) => ({
    path: ["bodycams", index, "folder"],
    folder,
  }));
  const folders = placed([
    { path: ["state"], folder: box.state },
    { path: ["recorder", "state"], folder: box.recorder.state },
    { path: ["spool", "path"], folder: box.spool.path },
    { path: ["vault", "directory"], folder: box.vault.directory },
    { path: ["secured", "directory"], folder: box.secured.directory },
    ...cameras,
  ]);
  const files = placed([
    { path: ["recipients"], folder: box.recipients },
    { path: ["backup", "recipients"], folder: box.backup.recipients },
    { path: ["desk_signers"], folder: box.desk_signers },
  ]);
  return [
    ...twice(read, NUMBER, [
      ...box.bodycams.map(({ number }, index) => ({
        path: ["bodycams", index, "number"],
        word: number?.toLowerCase(),
      })),
      ...box.cameras.map(({ number }, index) => ({
        path: ["cameras", index, "number"],
        word: number?.toLowerCase(),
      })),
    ]),
    ...twice(
      read,
      STREAM,
      box.cameras.map(({ url }, index) => ({
        path: ["cameras", index, "url"],
        word: streamOf(url),
      })),
    ),
    ...sameBucket(read, box),
    ...noMedium(read, box),
    ...folders.flatMap((one, index) => overlaps(read, one, folders.slice(0, index))),
    // In the state folder they are safe. Elsewhere whoever fills the folder would name our recipients.
    ...files.flatMap((one) => inside(read, one, folders.slice(box.state === undefined ? 0 : 1))),
  ];
}

/** What lies twice in one bucket is lost twice with it (AR-20). */
function sameBucket(read: Read<unknown>, box: z.output<typeof written>): readonly Mistake[] {
  const [one, other] = [box.vault.s3, box.secured.s3];
  if (one === undefined || other?.bucket === undefined || one.bucket !== other.bucket) return [];
  if (one.provider !== other.provider || one.endpoint !== other.endpoint) return [];
  const what = "the same bucket as vault.s3.bucket: held footage goes to another one (AR-20)";
  return [read.mistake(["secured", "s3", "bucket"], what)];
}

/** A card is not wiped for a second place that is not there (invariant 1). */
function noMedium(read: Read<unknown>, box: z.output<typeof written>): readonly Mistake[] {
  if (box.docks.wipe_after !== "second-medium") return [];
  if (box.secured.directory !== undefined || box.secured.s3 !== undefined) return [];
  return [read.mistake(["docks", "wipe_after"], "names a second medium: say which under secured")];
}

function placed(
  all: readonly { path: readonly (string | number)[]; folder: string | undefined }[],
): readonly Place[] {
  return all.flatMap(({ path, folder }) =>
    folder?.startsWith("/") === true ? [{ path, folder: resolve(folder) }] : [],
  );
}

const NUMBER = "each camera has one number (AR-01): an entry above has the same";
const STREAM = "each stream is one camera's (AR-01): an entry above has the same";

interface Word {
  readonly path: readonly (string | number)[];
  /** Undefined for what is no text. */
  readonly word: string | undefined;
}

function twice(read: Read<unknown>, what: string, words: readonly Word[]): readonly Mistake[] {
  const known = words.map(({ word }) => word);
  return words.flatMap(({ path, word }, index) =>
    word !== undefined && known.indexOf(word) < index ? [read.mistake(path, what)] : [],
  );
}

/** The same for two addresses of one stream: a host's capitals and the usual port say nothing. */
function streamOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const usual = protocol === "rtsps:" ? "322" : "554";
  return `${protocol}//${hostname.toLowerCase()}:${port || usual}${pathname || "/"}${search}`;
}

function overlaps(read: Read<unknown>, one: Place, others: readonly Place[]): readonly Mistake[] {
  return others.flatMap((other) => {
    const how =
      one.folder === other.folder
        ? "the same folder as"
        : isIn(one, other)
          ? "lies inside"
          : isIn(other, one)
            ? "lies around"
            : undefined;
    if (how === undefined) return [];
    return [read.mistake(one.path, `${how} ${dotted(other)}: name a folder of its own`)];
  });
}

function inside(read: Read<unknown>, one: Place, folders: readonly Place[]): readonly Mistake[] {
  return folders
    .filter((other) => isIn(one, other))
    .map((other) => read.mistake(one.path, `lies inside ${dotted(other)}: keep it elsewhere`));
}

function isIn(one: Place, other: Place): boolean {
  return one.folder.startsWith(other.folder === sep ? sep : `${other.folder}${sep}`);
}

function dotted({ path }: Place): string {
  return path.join(".");
}
