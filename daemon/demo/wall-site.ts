import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDeviceId } from "#base/ids";
import { type Clock, dayOf } from "#base/time";
import { passwordName, recorderFolder } from "../places.ts";
import { type SimulatedCamera, startCamera } from "./simulated-camera.ts";
import { filmed, heard, SMALL_FILM } from "./simulated-clips.ts";
import { type DemoSite, makeDemoSite } from "./site.ts";

/** A segment is a minute anywhere else; nobody wants to watch one. */
const SEGMENT_SECONDS = 5;
const LOGIN = { user: "bewaard", password: "alleen in deze demo / in this demo only" };

/** A camera that asks for a login with Digest. */
export const GUARDED = "cam-0001";
/** A camera with a microphone, in a room that the policy does not list (AR-14). */
export const HEARING = "cam-0002";

/** A town hall with two cameras on its walls, on this machine's own clock. */
export interface WallSite extends AsyncDisposable {
  readonly site: DemoSite;
  readonly guarded: SimulatedCamera;
  readonly hearing: SimulatedCamera;
}

export async function openWallSite(
  clock: Clock,
  folder: string,
  signal: AbortSignal,
): Promise<WallSite> {
  await mkdir(folder);
  await using opened = new AsyncDisposableStack();
  const video = await filmed(folder, SMALL_FILM);
  const silent = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined } as const;
  const guarded = opened.use(await startCamera(clock, silent));
  const speaking = { ...silent, sound: await heard(folder, "aac"), scheme: "none" } as const;
  const hearing = opened.use(await startCamera(clock, speaking));
  const cameras = [
    { number: GUARDED, url: guarded.url, user: LOGIN.user, room: "balie" },
    { number: HEARING, url: hearing.url, room: "hal" },
  ];
  const site = await makeDemoSite(clock, folder, [], 2, signal, {
    site: { name: "demo-stadhuis", demo: true, segment_seconds: SEGMENT_SECONDS },
    policy: "arnhem",
    cameras: cameras.map((camera) => ({ ...camera, ...accepted(dayOf(clock.now())) })),
  });
  const path = join(recorderFolder(site.config), passwordName(parseDeviceId(GUARDED)));
  await writeFile(path, `${LOGIN.password}\n`, { mode: 0o600 });
  const cleanUp = opened.move();
  return { site, guarded, hearing, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
}

/** What the configuration says before a camera in a building records: AR-04, AR-10, AR-45. */
function accepted(day: string) {
  return {
    paired: day,
    building: "stadhuis",
    notice: { confirmed_on: day, by: "clustermanager-vastgoed" },
    necessity: { note: "Laten zien wat bewaard doet.", dpia: "DEMO-1" },
  };
}
