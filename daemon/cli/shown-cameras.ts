import { stringify } from "yaml";
import type { Told } from "../../drivers/camera/onvif.ts";
import type { Found } from "../../drivers/camera/onvif-matches.ts";
import type * as board from "../record/board.ts";
import type { Failed, Listed, Shown, Tested } from "../record/test-camera.ts";
import type { Trial } from "../record/trial.ts";
import { ERROR_SAYS } from "./error-says.ts";
import { localTime } from "./shown.ts";

// What people read of cameras in buildings: Dutch first, English beside it.

const SERVICE: Readonly<Record<Listed["service"], string>> = {
  "in service": "in dienst / in service",
  "not in service": "niet in dienst / not in service",
  "out of period": "buiten de periode / out of period",
};

const TOLD: Readonly<Record<Told, string>> = {
  on: "AAN / ON",
  off: "uit / off",
  unknown: "zegt de camera niet / it does not tell",
};

/** What the recorder says that a camera is doing. */
export interface Live extends Omit<board.Shown, "device" | "since"> {
  readonly since: string;
}

const DOING: Readonly<Record<Live["state"], string>> = {
  "not in service": "niet in dienst / not in service",
  connecting: "maakt verbinding / connecting",
  recording: "neemt op / recording",
  stalled: "STAAT STIL / STALLED",
  "backing off": "PROBEERT OPNIEUW / BACKING OFF",
  "out of period": "buiten de periode / out of period",
};

export function shownListed(
  cameras: readonly (Listed & { live: Live | null })[],
  running: boolean,
): string {
  if (cameras.length === 0) return "geen camera's in gebouwen / no cameras in buildings";
  return [
    ...cameras.flatMap((one) => [headline(one), ...(one.live === null ? [] : [doing(one.live)])]),
    ...(running ? [] : ["de opnemer draait hier niet / no recorder runs here"]),
  ].join("\n");
}

function doing({ state, since, code, offsetMs }: Live): string {
  const why = code === null ? "" : ` (${code})`;
  const clock = offsetMs === null ? "" : `, klok / clock ${seconds(offsetMs)}`;
  return `    ${DOING[state]}${why} sinds / since ${localTime(since)}${clock}`;
}

function headline({ number, place, service }: Listed): string {
  return `${number}  ${place ?? "-"}  ${SERVICE[service]}`;
}

/** Lines for the list `cameras:`, of which a person fills in what no camera may say of itself. */
export function shownFoundCameras(found: readonly Found[], today: string): string {
  const asked =
    "# gevonden, niet nagegaan: wie antwoordde zegt dit van zichzelf / found, not checked";
  if (found.length === 0) return "niets gevonden / nothing found";
  return [asked, "cameras:", ...found.map((one) => proposed(one, today))].join("\n");
}

function proposed({ address, name, hardware, onvif, foreign }: Found, today: string): string {
  const called = [name, hardware].filter((one) => one !== null).join(", ") || "?";
  const strange =
    foreign === 0
      ? []
      : [
          `  # LET OP: noemt ${foreign} adres(sen) van een ander / CAREFUL: names addresses of others`,
        ];
  return [
    `  # ${plain(called)}`,
    ...strange,
    "  - number: # cam-0001",
    `    url: rtsp://${address}/ # \`bewaarctl cameras test\` zegt welke / says which`,
    "    user: # de naam; het wachtwoord in <number>.password / the name; the password in a file",
    ...(onvif === null ? [] : [`    onvif: ${stringify(onvif).trim()}`]),
    `    paired: ${today}`,
    "    building: # een gebouw uit het beleid / a building of the policy (AR-04)",
    "    room:",
    "    necessity: { note: , dpia: } # AR-45",
    "    # notice: { confirmed_on: , by: } # pas als het bord hangt / once the notice is up (AR-10)",
  ].join("\n");
}

/** Nothing in it ends the comment that it stands in. */
function plain(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
}

export function shownTest(tested: Tested): string {
  const { onvif, stream, stored, why } = tested;
  return [
    headline(tested),
    ...(onvif === null
      ? stream === null
        ? []
        : ["onvif: niet ingevuld / not filled in"]
      : "code" in onvif
        ? [failed("onvif", onvif)]
        : described(onvif)),
    ...(stream === null
      ? ["niet bekeken, buiten de periode / not looked at, out of period (AR-40)"]
      : "code" in stream
        ? [failed("beeld / stream", stream)]
        : streamed(stream)),
    stored ? "WORDT BEWAARD / WOULD BE STORED" : "WORDT NIET BEWAARD / WOULD NOT BE STORED",
    ...why.map(({ nl, en }) => `  ${nl} / ${en}`),
  ].join("\n");
}

function failed(what: string, { code, message }: Failed) {
  return `${what}: ${code}: ${ERROR_SAYS[code]}${message === null ? "" : `\n  ${message}`}`;
}

function described(one: Shown): readonly string[] {
  const about = [one.maker, one.model, one.firmware, one.serial].map((text) => text ?? "?");
  const clock =
    one.clockOffsetMs === null
      ? "zegt de camera niet / it does not tell"
      : seconds(one.clockOffsetMs);
  return [
    `onvif: ${about.join(", ")}`,
    ...one.profiles.flatMap((profile) => {
      const size = `${profile.width ?? "?"}x${profile.height ?? "?"}`;
      const fps = `${profile.codec ?? "?"} ${size}, ${profile.fps ?? "?"} beelden/s / fps`;
      // Of a covert camera.
      if (profile.token === null) return [`  ${fps}`];
      const sound =
        profile.sound === null ? "geen geluid / no sound" : `geluid / sound ${profile.sound}`;
      return [
        `  ${profile.name ?? profile.token}: ${fps}, GOP ${profile.gopFrames ?? "?"}, ${profile.bitrateKbps ?? "?"} kbit/s, ${sound}`,
        ...(profile.url === null ? [] : [`    ${profile.url}`]),
      ];
    }),
    `  klok / clock: ${clock}`,
    `  neemt zelf op / records by itself: ${TOLD[one.ownRecording]}`,
    `  stuurt naar buiten / sends elsewhere (cloud): ${TOLD[one.cloud]}`,
    `  beeldanalyse / analytics: ${TOLD[one.analytics]}`,
  ];
}

function streamed(one: Trial): readonly string[] {
  const gop = one.gopMs === null ? "LANGER DAN / LONGER THAN 10 s" : `${one.gopMs / 1000} s`;
  const clock =
    one.clock.offsetMs === null
      ? "zegt de camera niet / it does not tell"
      : `${seconds(one.clock.offsetMs)} (${one.clock.source})`;
  const sound = !one.soundOffered
    ? "niet aangeboden / not offered"
    : one.soundTaken === null
      ? "aangeboden, wordt niet opgenomen / offered, not recorded"
      : `aangeboden, wordt opgenomen / offered, recorded: ${one.soundTaken}`;
  return [
    `beeld / stream: ${one.video} (${one.codec}) ${one.width}x${one.height}, GOP ${gop}, ${(one.bitsPerSecond / 1e6).toFixed(2)} Mbit/s`,
    `  klok / clock: ${clock}`,
    `  geluid / sound: ${sound}`,
    `  in het beeld / within the pictures (SEI): ${one.sei.join(", ") || "-"}`,
  ];
}

function seconds(offsetMs: number): string {
  // By what is shown of it: there is no -0.0.
  const shown = Math.round(offsetMs / 100) / 10;
  return `${shown < 0 ? "-" : "+"}${Math.abs(shown).toFixed(1)} s`;
}
