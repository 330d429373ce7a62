import { readConfiguration } from "../../config/configuration.ts";
import { shownLooks } from "../cli/shown-looks.ts";
import type { InSlot, LookInSlots } from "../pairing/in-slots.ts";
import type { AsCore, Ran } from "./as-core.ts";

/** By which network interface to look for cameras, and at which address alone. */
export interface Discovery {
  readonly by: string | undefined;
  readonly at: string | undefined;
}

/** What this machine sees of the first camera or slot; null where there was nothing to look at. */
export interface FirstHardware {
  /** What `cameras test` says of the first camera of the configuration. */
  readonly camera: Ran | null;
  /** What `cameras discover` found, where none is in it yet. */
  readonly found: Ran | null;
  /** Devices in slots that nobody has paired. */
  readonly slots: readonly InSlot[];
}

/**
 * Looks at the first camera of the configuration at `path`, or for one; and in the slots. Nothing of it is accepted: a
 * camera is written into the configuration, a bodycam is paired, by who answers for it.
 */
export async function lookAtHardware(
  path: string,
  core: AsCore,
  recorder: AsCore,
  inSlots: LookInSlots,
  discovery: (buildings: boolean) => Promise<Discovery>,
  how: readonly string[],
): Promise<FirstHardware> {
  const { config, rules } = await readConfiguration(path);
  const [first] = config.cameras;
  const camera = first && (await recorder("bewaarctl", ...how, "cameras", "test", first.number));
  const { by, at } = first
    ? { by: undefined, at: undefined }
    : await discovery(rules.policy.buildings.length > 0);
  const where = [
    ...(by === undefined ? [] : ["--interface", by]),
    ...(at === undefined ? [] : ["--to", at]),
  ];
  const found =
    where.length > 0 && (await core("bewaarctl", ...how, "cameras", "discover", ...where));
  const slots = (await inSlots()).filter(
    ({ kind, refused }) => kind !== "other" && refused === "unpaired",
  );
  return { camera: camera ?? null, found: found || null, slots };
}

/** What to type for what is in the slots, once core runs. */
export function pairingLines(slots: readonly InSlot[]): readonly string[] {
  return slots.flatMap((one) => [
    `# ${shownLooks(one)}`,
    `bewaarctl bodycams pair bc-0001 --slot ${one.slot} --profile generic-dcim --by beheerder`,
  ]);
}
