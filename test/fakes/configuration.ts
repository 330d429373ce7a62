import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { BewaardError } from "#base/errors";
import { readConfiguration } from "../../config/configuration.ts";

/** The configuration of a box as people write it, without a mistake. */
export const GOOD_BOX = {
  site: { name: "den-haag-handhaving" },
  node: "dock-1",
  policy: "arnhem",
  informed_on: "2026-10-01",
  state: "/var/lib/bewaard",
  spool: { path: "/srv/spool", limit: "400 GB", keep_free: "20 GB" },
  vault: { directory: "/mnt/nas" },
  recipients: "/etc/bewaard/recipients.txt",
  desk_signers: "/etc/bewaard/desk.signers",
  bodycams: [
    { number: "bc-0101", folder: "/srv/dock/1", profile: "generic-dcim", paired: "2026-11-01" },
    { number: "bc-0102", folder: "/srv/dock/2", profile: "generic-dcim", paired: "2026-11-01" },
  ],
};

/** A tenant's annex to the policy of Arnhem, without a mistake. */
export const GOOD_ANNEX = {
  tenant: "bibliotheek",
  consent: { reference: "VG-2026-3", date: "2026-09-01", by: "clustermanager-vastgoed" },
  agreed: { reference: "BW-2026-44", date: "2026-09-15", by: "college" },
  retention: "7 days",
  purposes: ["toegangsbewaking", "inbraakbeveiliging"],
  recipients: ["politie"],
  buildings: ["mfc"],
};

/** What `readConfiguration` says of files; empty when it takes them. */
export async function saidOf(path: string): Promise<string> {
  try {
    await readConfiguration(path);
    return "";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

/** Writes a box's file and others beside it, by name; returns the path of the first. */
export async function writtenIn(
  folder: string,
  box: object | string | Uint8Array,
  others: Readonly<Record<string, object | string | Uint8Array>> = {},
): Promise<string> {
  for (const [name, content] of Object.entries({ ...others, "bewaard.yaml": box })) {
    const isText = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(join(folder, name), isText ? content : stringify(content));
  }
  return join(folder, "bewaard.yaml");
}

/** A camera in a building, without a mistake under the policy of Arnhem. */
export const GOOD_CAMERA = {
  number: "cam-0001",
  url: "rtsp://10.1.2.3/stream1",
  user: "bewaard",
  paired: "2026-05-01",
  building: "stadhuis",
  room: "balie",
  notice: { confirmed_on: "2026-05-01", by: "clustermanager-vastgoed" },
  necessity: { note: "Agressie aan de balie, elke week.", dpia: "DPIA-2026-4" },
};

/** One in an interview room, with sound. */
export const SOUND_CAMERA = {
  ...GOOD_CAMERA,
  number: "cam-0002",
  url: "rtsp://10.1.2.4/stream1",
  room: "spreekkamer",
  sound: true,
  sound_notice: { confirmed_on: "2026-05-02", by: "clustermanager-vastgoed" },
};

/** A covert one, from an hour before `START` of the rig until a day later. */
export const COVERT_CAMERA = {
  number: "cam-0009",
  url: "rtsp://10.1.2.9/stream1",
  user: "bewaard",
  paired: "2026-05-01",
  building: "stadskantoor",
  room: "magazijn",
  covert: {
    decision: "INT-2026-3",
    decided_by: "verantwoordelijke",
    from: "2026-06-01T11:00+02:00",
    until: "2026-06-02T12:00+02:00",
  },
};
