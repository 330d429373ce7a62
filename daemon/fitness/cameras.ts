import { BewaardError } from "#base/errors";
import { dayOf, type Instant } from "#base/time";
import { findMistakes } from "../../config/configuration.ts";
import type { Config } from "../../config/schema.ts";
import { isAnothers, lookAtSecret, readPassword } from "../../config/secrets.ts";
import { passwordName, recorderFolder } from "../places.ts";
import { fit, type Machine, notFit, notFitForReal, type Seen, warning } from "./seen.ts";

type Camera = Config["cameras"][number];

/** The cameras in buildings, each by its number: a covert one is known by nothing else (AR-40). */
export async function lookAtCameras(machine: Machine): Promise<readonly Seen[]> {
  const { config, path } = machine;
  if (config.cameras.length === 0) return [];
  // What stands in the file is one mistake or another; those of other keys are told elsewhere.
  const mistakes = (await findMistakes(path)).filter(({ where }) => /^cameras\.\d/.test(where));
  const forbidden = mistakes.map(({ line, column, where, what }) =>
    notFit(
      { nl: `${line}:${column}: ${where}: mag niet: ${what}`, en: "the policy does not allow it" },
      { nl: "pas de configuratie aan", en: "change the configuration" },
    ),
  );
  const cameras = await Promise.all(config.cameras.map((camera) => lookAt(machine, camera)));
  return [...forbidden, ...cameras.flat()];
}

async function lookAt(machine: Machine, camera: Camera): Promise<readonly Seen[]> {
  const { clock, config } = machine;
  const { number } = camera;
  const faults = [
    ...(await lookAtPassword(config, camera)),
    ...(camera.covert ? [] : lookAtNotice(machine, camera, clock.now())),
  ];
  if (faults.length > 0) return faults;
  const why = camera.covert ? "" : confirmed(camera);
  return [fit(`${number}${why}`, `${number} is complete`)];
}

async function lookAtPassword(config: Config, camera: Camera): Promise<readonly Seen[]> {
  const { number, user } = camera;
  const name = passwordName(number);
  const folder = recorderFolder(config);
  if (user === undefined) {
    return [
      warning(
        {
          nl: `${number}: geen aanmelding: wie bij de camera kan, ziet de beelden`,
          en: `${number}: no login: whoever reaches the camera sees its pictures`,
        },
        {
          nl: `stel er een in op de camera; schrijf user: en zet het wachtwoord in ${folder}/${name}`,
          en: "set one on the camera; write user: and put the password there",
        },
      ),
    ];
  }
  try {
    // The recorder's alone, where that is a user of its own: then it is looked at, and not read.
    await ((await isAnothers(folder)) ? lookAtSecret : readPassword)(name, folder);
    return [];
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return [
      notFit(
        {
          nl: `${number}: wachtwoord niet te gebruiken (${error.code}: ${error.message})`,
          en: `${number}: its password cannot be used`,
        },
        {
          nl: `zet het in ${folder}/${name}, chmod 600`,
          en: "put it there, for its owner alone",
        },
      ),
    ];
  }
}

function lookAtNotice(machine: Machine, camera: Camera, now: Instant): readonly Seen[] {
  const { number, notice, sound_notice } = camera;
  const early = [notice, sound_notice].some((one) => one !== undefined && one.confirmed_on > now);
  if (early) {
    return [
      notFitForReal(
        machine,
        {
          nl: `${number}: een bevestiging heeft een datum die nog moet komen`,
          en: `${number}: a confirmation is of a day still to come`,
        },
        { nl: "laat haar weg tot die dag", en: "leave it out until that day" },
      ),
    ];
  }
  if (notice !== undefined) return [];
  return [
    warning(
      {
        nl: `${number}: niet in dienst: het bord bij de ingang is niet bevestigd (AR-10)`,
        en: `${number}: not in service: its entrance notice is not confirmed`,
      },
      {
        nl: "hang het bord op en schrijf notice: { confirmed_on, by }",
        en: "put up the notice and write notice:",
      },
    ),
  ];
}

function confirmed({ notice, sound_notice, necessity }: Camera): string {
  const told = notice ? `: bord / notice ${dayOf(notice.confirmed_on)}` : "";
  const heard = sound_notice ? `, geluid / sound ${dayOf(sound_notice.confirmed_on)}` : "";
  return `${told}${heard}, DPIA ${necessity?.dpia ?? "-"}`;
}
