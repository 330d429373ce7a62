import type { Instant } from "#base/time";
import type { Mistake } from "../../config/mistake.ts";
import type { WallCameraSettings } from "./wall-camera.ts";

/** In both languages, for people. */
export interface Why {
  readonly nl: string;
  readonly en: string;
}

/**
 * Why nothing of a camera would be stored now, by what the site wrote of it; empty when it would be.
 * `mistakes` are those of its own entry.
 */
export function whyNotStored(
  camera: WallCameraSettings,
  mistakes: readonly Mistake[],
  now: Instant,
): readonly Why[] {
  return [
    ...mistakes.map(({ line, where, what }) => ({
      nl: `de configuratie mag zo niet: regel ${line}, ${where}: ${what}`,
      en: "the configuration is not allowed so",
    })),
    ...OUT_OF_SERVICE[camera.service(now)],
  ];
}

const OUT_OF_SERVICE: Readonly<Record<ReturnType<WallCameraSettings["service"]>, readonly Why[]>> =
  {
    "in service": [],
    "not in service": [
      {
        nl: "het bord bij de ingang is niet bevestigd: notice: { confirmed_on, by } (AR-10)",
        en: "its notice at the entrance is not confirmed",
      },
    ],
    "out of period": [
      {
        nl: "de periode van het besluit is nog niet begonnen, of voorbij (AR-40)",
        en: "the period of its decision has not begun, or is over",
      },
    ],
  };
