import type { Instant } from "#base/time";
import type { Mistake } from "../../config/mistake.ts";
import type { WallCameraSettings } from "./wall-camera.ts";

/** In both languages, for people. */
export interface Why {
  readonly nl: string;
  readonly en: string;
}

/** What is wrong in the configuration: in the camera's own entry, and elsewhere. */
interface Wrong {
  readonly own: readonly Mistake[];
  /** With one anywhere no recorder starts. */
  readonly elsewhere: readonly Mistake[];
}

/**
 * Why nothing of a camera would be stored now, by what the site wrote; empty when it would be. Of what is
 * wrong elsewhere it names the place only, and of a covert camera's entry too: what is wrong there may say
 * where a covert camera hangs (AR-40).
 */
export function whyNotStored(
  camera: WallCameraSettings,
  { own, elsewhere }: Wrong,
  now: Instant,
): readonly Why[] {
  return [
    ...own.map(({ line, where, what }) => {
      const place = camera.covert ? where : `${where}: ${what}`;
      return {
        nl: `de configuratie mag zo niet: regel ${line}, ${place}`,
        en: `the configuration is not allowed so: line ${line}, ${place}`,
      };
    }),
    ...elsewhere.map(({ file, line, where }) => ({
      nl: `elders in de configuratie staat een fout: ${file} regel ${line}, ${where}`,
      en: `a mistake elsewhere in the configuration: ${file} line ${line}, ${where}`,
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
