import type { ListenOptions } from "node:net";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { MINUTE_MS, SECOND_MS } from "#base/time";
import { parseListen } from "../config/alarm-schema.ts";
import type { Named } from "../config/configuration.ts";
import type { Policy } from "../config/policy-schema.ts";
import type { Config, DeskConfig } from "../config/schema.ts";
import { servedKnown, servedRoom } from "../config/served.ts";
import { uploadBytesPerSecond } from "../config/upload-schema.ts";
import type { Device } from "../storage/catalog/devices.ts";
import type { CovertPeriod } from "../storage/catalog/duties.ts";
import type { Placed } from "../storage/catalog/place.ts";
import type { NodeKey } from "../storage/ledger/note.ts";
import type { BackedUp } from "./backup/make.ts";
import type { DeskOf } from "./heed.ts";
import { serviceOf, type WallCameraSettings } from "./record/wall-camera.ts";
import type { RingLimits } from "./ring.ts";
import type { SeparateCopy } from "./secure.ts";
import type { Upload } from "./store.ts";
import type { Term } from "./term.ts";
import type { Authority } from "./timestamp.ts";

// What the loops are given, out of the configuration: each gets its few values, none gets it whole.

export function catalogPath(config: Config): string {
  return join(config.state, "catalog.db");
}

/** On the catalog's disk, see storage/catalog/reserve.ts. */
export function reservePath(config: Config): string {
  return join(config.state, "reserve");
}

/** Which bodycams the root helper may mount. */
export function pairedNotePath(config: Config): string {
  return join(config.state, "paired.note");
}

/** Where signed orders lie for the root helper. */
export function ordersPath(config: Config): string {
  return join(config.state, "orders");
}

/** Where a sealed archive waits until the vault has it. */
export function archivePath(config: Config): string {
  return join(config.state, "archive.age");
}

/** What a daily backup needs. */
export function backupOf(config: Config, key: NodeKey, termMs: number): BackedUp {
  return {
    node: config.node,
    key,
    termMs,
    catalog: catalogPath(config),
    copy: join(config.state, "backup.db"),
    sealed: join(config.state, "backup.age"),
    recipients: config.backup?.recipients,
    spool: config.spool.path,
    keepFreeBytes: config.spool.keep_free,
  };
}

/** Where core takes commands, and answers people. */
export function socketPath(config: Config): string {
  return join(config.state, "control.sock");
}

/** Where it answers the dock, which commands nothing. In the service a folder of the dock's group is for it. */
export function knownPath(config: Config): string {
  return servedKnown() ?? join(config.state, "known.sock");
}

/** And the recorder. */
export function roomPath(config: Config): string {
  return servedRoom() ?? join(config.state, "room.sock");
}

/** Where a service keeps what is core's, of a box or of a tenant. What is the recorder's, another user, is beside it (systemd/bewaard.tmpfiles). */
const SERVED = /^\/var\/lib\/bewaard(?:-[a-z][a-z0-9]+)?$/;

/** What is the recorder's own, passwords of cameras among it. Of a box that is no service, where nothing else is said, in the state folder. */
export function recorderFolder({ recorder, state }: Config): string {
  return recorder?.state ?? (SERVED.test(state) ? `${state}-record` : state);
}

/** Where the recorder says what its cameras are doing. */
export function recordSocketPath(config: Config): string {
  return join(recorderFolder(config), "record.sock");
}

/** Where the recorder offers live pictures, to programs on this machine. */
export function livePath(config: Config): string {
  return join(recorderFolder(config), "live.sock");
}

/** Where the root helper writes what it found of each card, and where it mounts them. */
export const CARDS = "/run/bewaard/cards";
export const MEDIA = "/run/bewaard/media";
/** Where it reports what came of an order. */
export const REPORTS = "/run/bewaard/reports";

/** Where metrics are to be had where core has no network: a folder of its own, so that nobody need see the others. */
function metricsSocketPath(config: Config): string {
  return join(config.state, "metrics", "metrics.sock");
}

/** Where metrics are to be had; undefined where nobody may. */
export function listeningOf(config: Config): ListenOptions | undefined {
  if (config.metrics === undefined) return undefined;
  const where = parseListen(config.metrics.listen);
  return where === "socket" ? { path: metricsSocketPath(config) } : where;
}

/** How far each camera in a building is recorded. */
export function marksPath(config: Config): string {
  return join(recorderFolder(config), "marks.json");
}

/**
 * The folder of a vault that is one.
 * @throws BewaardError CONFIG_INVALID where it is a bucket.
 */
export function vaultFolder(vault: Config["vault"]): string {
  if ("directory" in vault) return vault.directory;
  throw new BewaardError("CONFIG_INVALID", "vault.s3: here only a directory will do");
}

/** The ledger's name in checkpoints, and the name of the node's key. */
export function originOf(config: Config): string {
  return `bewaard/${config.site.name}/${config.node}`;
}

/** The files that a box's file names. */
export function namedBy({ policy, annex, bodycams: all }: Config): Named {
  return { policy, annex, profiles: all.map(({ profile }) => profile) };
}

/** The files that a desk's file names. */
export function namedByDesk({ policy, annex }: DeskConfig): Named {
  return { policy, annex, profiles: [] };
}

/** How long this policy lets footage exist. */
export function termOf(policy: Policy): Term {
  return {
    termMs: policy.retention,
    longestUndockedMs: policy.longest_undocked,
    destroyWithinMs: policy.destroy_within,
  };
}

export function ringLimits({ spool }: Config): RingLimits {
  return { limitBytes: spool.limit, keepFreeBytes: spool.keep_free };
}

export function separateCopy(policy: Policy): SeparateCopy {
  return { wanted: policy.separate_copy, destroyWithinMs: policy.destroy_within };
}

/** The demo's clock stands still while somebody is at work, so there one works at a time. */
export function uploadOf({ site, upload }: Config, policy: Policy): Upload {
  return {
    parallel: site.demo ? 1 : (upload?.parallel ?? 4),
    bytesPerSecondAt: (now) => uploadBytesPerSecond(upload, now),
    readBack: policy.read_back,
  };
}

export function deskOf(config: Config): DeskOf {
  return {
    site: config.site.name,
    demo: config.site.demo,
    signersPath: config.desk_signers,
    separate: config.secured !== undefined,
  };
}

/** Who timestamps the ledger; undefined where the site has nobody for it. */
export function authorityOf({ timestamps }: Config): Authority | undefined {
  if (timestamps === undefined) return undefined;
  return {
    url: timestamps.url,
    authority: timestamps.authority,
    patienceMs: 20 * SECOND_MS,
  };
}

/** Every camera of this box, of either kind. */
export function devicesOf(config: Config): readonly Omit<Device, "emptiedAt">[] {
  const kinds = [
    { kind: "bodycam", all: config.bodycams },
    { kind: "camera", all: config.cameras },
  ] as const;
  return kinds.flatMap(({ kind, all }) =>
    all.map(({ number, paired }) => ({ id: number, kind, pairedAt: paired })),
  );
}

/** Where footage is found by place. A covert camera is known by its number only (AR-40). */
export function placesOf(config: Config): readonly Placed[] {
  return [
    ...config.bodycams.map(({ number, place }) => ({ device: number, place })),
    ...config.cameras.map(({ number, building, room, covert }) => ({
      device: number,
      place: covert ? undefined : [building, ...(room === undefined ? [] : [room])].join("/"),
    })),
  ];
}

/** What the recorder is given of each camera. That policy allows its sound was seen when it was read. */
export function wallCameras(config: Config): readonly WallCameraSettings[] {
  return config.cameras.map(wallCamera);
}

export function wallCamera(camera: Config["cameras"][number]): WallCameraSettings {
  return {
    number: camera.number,
    url: camera.url,
    user: camera.user,
    basic: camera.basic,
    certificate: camera.certificate,
    building: camera.building,
    room: camera.room,
    sound:
      camera.sound &&
      camera.room !== undefined &&
      camera.sound_notice !== undefined &&
      camera.covert === undefined,
    service: serviceOf(camera.notice !== undefined, camera.covert),
    until: camera.covert?.until,
    covert: camera.covert !== undefined,
  };
}

/** When cameras are covert (AR-40); what is to be done afterwards comes of it (AR-41). */
export function covertPeriods({ cameras }: Config): readonly CovertPeriod[] {
  return cameras.flatMap(({ number, covert }) =>
    covert
      ? [
          {
            device: number,
            decision: covert.decision,
            from: covert.from,
            until: covert.until,
          },
        ]
      : [],
  );
}

/** How long a wall camera's segments are: a minute, but in a demo. */
export function segmentMs({ site }: Config): number {
  return site.segment_seconds === undefined ? MINUTE_MS : site.segment_seconds * SECOND_MS;
}

/** The file with the password of a camera, in the recorder's folder (config/secrets.ts). */
export function passwordName(number: DeviceId): string {
  return `${number}${PASSWORD}`;
}

const PASSWORD = ".password";

/** Whether a file of this name holds one, of a camera of the configuration or of one that was. */
export function isPassword(name: string): boolean {
  return name.endsWith(PASSWORD);
}
