import { BewaardError } from "#base/errors";
import type { Device } from "../storage/catalog/devices.ts";
import type { Manifest } from "../storage/spool/manifest.ts";

/** A part that hands facts over. */
export type ProducerName = "dock" | "record";

interface Own {
  readonly cameras: Device["kind"];
  readonly facts: readonly Manifest["kind"][];
  readonly not: string;
}

/** What each is there for; of whatever else, it knows nothing. */
const OWN: Readonly<Record<ProducerName, Own>> = {
  dock: {
    cameras: "bodycam",
    facts: ["segment", "left"],
    not: "is of a camera in a building, which the dock does not read",
  },
  record: {
    cameras: "camera",
    facts: ["segment", "gap"],
    not: "is of a bodycam, which the recorder does not record",
  },
};

/** A camera as the configuration says now, whatever it was when core first saw it. */
export type Configured = Pick<Device, "id" | "kind">;

/**
 * Refuses what is not `producer`'s to tell, so that who takes one part over cannot tell lies in the place of the other. A number
 * that `configured` has moved from one kind to the other is of both: what either has of it is all there is.
 * @throws BewaardError MANIFEST_LIES.
 */
export function requireOwn(
  producer: ProducerName,
  { kind }: Manifest,
  device: Device | undefined,
  configured: readonly Configured[],
): void {
  const { cameras, facts, not } = OWN[producer];
  if (!facts.includes(kind))
    throw lies(`is of a kind that the ${producer} part does not hand over`);
  if (device === undefined || device.kind === cameras) return;
  if (configured.some((one) => one.id === device.id && one.kind === cameras)) return;
  throw lies(not);
}

function lies(what: string): BewaardError {
  return new BewaardError("MANIFEST_LIES", what);
}
