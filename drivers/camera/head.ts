import { boxesIn, boxIn, u32, untakeable } from "./boxes.ts";
import { configurationOf, spsIn } from "./configuration.ts";
import { type Init, PICTURE_BYTES, readInit, STSD_HEAD_BYTES } from "./init.ts";
import type { ParameterSets } from "./parameter-sets.ts";
import { readSps, type Sps } from "./sps.ts";

/** Makes another body of a box's. */
type Edit = (body: Buffer) => Buffer;

const MATRIX_AND_SIZE_BYTES = 44;

/**
 * The head `init` as it must be for pictures that come with `sets`: players that believe the head (QuickTime,
 * MSE) decode by its parameter sets and show at its size. Where the SPS is not understood the size stays.
 * @throws BewaardError CAMERA_STREAM when the head cannot be written so.
 */
export function initWith(init: Init, sets: ParameterSets): Init {
  const { codec, trackId, sets: before } = init.video;
  const [unit, unitBefore] = [spsIn(codec, sets), spsIn(codec, before)];
  const sps = unit && readSps(codec, unit);
  const samePictures = unit !== undefined && unitBefore?.equals(unit) === true;
  const entry: Edit = (body) => entryWith(body, init, sets, samePictures ? undefined : sps);
  const trak: Edit = (body) =>
    idOf(body) === trackId
      ? within(body, {
          tkhd: (tkhd) => (sps && !samePictures ? sized(tkhd, sps) : tkhd),
          mdia: (mdia) =>
            within(mdia, {
              minf: (minf) =>
                within(minf, { stbl: (stbl) => within(stbl, { stsd: first(entry) }) }),
            }),
        })
      : body;
  const bytes = within(init.bytes, { moov: (moov) => within(moov, { trak }) });
  return readInit(bytes, boxIn(bytes, "moov"), true);
}

/** `body` with the boxes in it edited, each by its type; their lengths follow. */
function within(body: Buffer, edits: Readonly<Record<string, Edit>>): Buffer {
  const boxes = [...boxesIn(body)].map((box) => {
    const edit = Object.hasOwn(edits, box.type) ? edits[box.type] : undefined;
    return boxOf(box.type, edit ? edit(box.body) : box.body);
  });
  return Buffer.concat(boxes);
}

function boxOf(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}

/** Of sample entries: only the first is of any use here. */
function first(edit: Edit): Edit {
  return (stsd) => {
    const entries = [...boxesIn(stsd.subarray(STSD_HEAD_BYTES))];
    const edited = entries.map(({ type, body }, index) =>
      boxOf(type, index === 0 ? edit(body) : body),
    );
    return Buffer.concat([stsd.subarray(0, STSD_HEAD_BYTES), ...edited]);
  };
}

/** Beside its configuration an entry tells of shape and colours of pixels: those of other pictures are left out. */
function entryWith(
  body: Buffer,
  { video }: Init,
  sets: ParameterSets,
  sps: Sps | undefined,
): Buffer {
  const type = video.codec === "h264" ? "avcC" : "hvcC";
  const configuration: Edit = (before) => configurationOf(video.codec, sets, before);
  const fixed = Buffer.from(body.subarray(0, PICTURE_BYTES));
  const rest = within(body.subarray(PICTURE_BYTES), { [type]: configuration });
  if (!sps) return Buffer.concat([fixed, rest]);
  fixed.writeUInt16BE(sps.width, 24);
  fixed.writeUInt16BE(sps.height, 26);
  return Buffer.concat([fixed, boxOf(type, boxIn(rest, type))]);
}

function idOf(trak: Buffer): number {
  const tkhd = boxIn(trak, "tkhd");
  return u32(tkhd, tkhd[0] === 1 ? 20 : 12);
}

/** tkhd (ISO 14496-12 §8.3.2) ends with its size, in 65536ths of a pixel. */
function sized(tkhd: Buffer, { width, height }: Sps): Buffer {
  if (tkhd.length < MATRIX_AND_SIZE_BYTES) throw untakeable("a box that is too short");
  const copy = Buffer.from(tkhd);
  copy.writeUInt32BE(width * 65_536, copy.length - 8);
  copy.writeUInt32BE(height * 65_536, copy.length - 4);
  return copy;
}
