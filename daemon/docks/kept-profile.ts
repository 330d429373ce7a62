import type { Policy } from "../../config/policy-schema.ts";
import type { CameraProfile } from "../../drivers/bodycam/profile.ts";

/** `profile`, with files that tell where its camera was taken like its other sidecars where policy keeps them (DH-05). */
export function keptProfile<P extends Pick<CameraProfile, "sidecars" | "locations">>(
  keeps: Policy["keeps"],
  profile: P,
): P {
  if (!keeps.includes("location")) return profile;
  return { ...profile, sidecars: [...profile.sidecars, ...profile.locations], locations: [] };
}
