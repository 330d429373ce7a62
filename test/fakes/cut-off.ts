import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type NodeId, parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { dayOf, type Instant } from "#base/time";
import { makeHeader } from "../../storage/seal/header.ts";
import { openSealer } from "../../storage/seal/sealer.ts";
import { type Intent, intentPath, intentText } from "../../storage/spool/intent.ts";

/** What sealing `content` had come to when the machine died, and of which file it was. */
export interface CutOff {
  readonly node: NodeId;
  readonly recipient: string;
  readonly sealedFor?: string;
  readonly content: Uint8Array;
  readonly startedAt: Instant;
  readonly path?: string;
  readonly modifiedAt?: Instant;
  readonly sourceBytes?: number;
  /** Bytes of the sealed file that reached the disk; all that were written when left out. */
  readonly keptBytes?: number;
}

/** Leaves in `incoming` what a crash does in the middle of sealing: an intent and a partial file. */
export async function leaveCutOff(incoming: string, cut: CutOff): Promise<SegmentId> {
  const id = parseSegmentId("01KSZ000000000000000000001");
  const out: Buffer[] = [];
  const header = await makeHeader([cut.recipient]);
  const sealer = openSealer(header, (bytes) => out.push(Buffer.from(bytes)));
  sealer.push(cut.content);
  const intent: Intent = {
    bewaard: "intent/1",
    kind: "segment",
    id,
    node: cut.node,
    producer: "dock",
    device: parseDeviceId("bc-0101"),
    arrivedAt: cut.startedAt,
    arrivedUptime: { bootId: "yesterday", ms: 1 },
    recording: {
      startedAt: cut.startedAt,
      alternativeStartedAt: null,
      endedAt: null,
      source: "name",
      clock: { declared: "synchronised", offsetMs: null },
    },
    file: {
      path: Buffer.from(cut.path ?? "gone.MP4").toString("base64"),
      modifiedAt: cut.modifiedAt ?? cut.startedAt,
    },
    sourceBytes: cut.sourceBytes ?? cut.content.length * 2,
    sealedFor: cut.sealedFor ?? dayOf(cut.startedAt),
    rewritten: null,
  };
  await mkdir(incoming, { recursive: true });
  await writeFile(intentPath(incoming, id), intentText(intent));
  const sealed = Buffer.concat(out).subarray(0, cut.keptBytes);
  await writeFile(join(incoming, `${id}.age.partial`), sealed, { mode: 0o400 });
  return id;
}
