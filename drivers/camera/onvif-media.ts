import { BewaardError } from "#base/errors";
import { withoutLogin } from "#base/login-in-address";
import type { CameraLogin } from "./address.ts";
import { MEDIA, MEDIA2, type Services, unlessForbidden, unlessRefused } from "./onvif-device.ts";
import { callService, mediaService } from "./onvif-library.ts";
import { type Profile, readProfiles, readStreamUri } from "./onvif-profiles.ts";
import { type OnvifSession, xmlText } from "./onvif-session.ts";

/** Recorders put in front of cameras list more; nobody reads them. */
const PROFILE_LIMIT = 8;

/** Asks one of the two media services. */
interface Media {
  profiles(): Promise<readonly Profile[]>;
  streamUri(token: string): Promise<string>;
}

/**
 * What a camera offers, each with where its stream is: on the host that was asked, without a login in it.
 * Of Media2 where it answers that, since the older service cannot name H.265.
 * @throws BewaardError CAMERA_REFUSED for a service or stream of another host.
 */
export async function askProfiles(
  session: OnvifSession,
  services: Services,
  login: CameraLogin | undefined,
) {
  for (const media of mediaOf(session, services)) {
    const profiles = await unlessRefused(media.profiles());
    if (profiles === undefined) continue;
    const found = [];
    for (const profile of profiles.slice(0, PROFILE_LIMIT)) {
      const named = await unlessForbidden(media.streamUri(profile.token));
      // As the configuration would have it.
      const url = named === undefined ? null : withoutLogin(session.own(named), login);
      found.push({ ...profile, url });
    }
    return found;
  }
  throw new BewaardError("CAMERA_REFUSED", "it names no profile of its pictures");
}

function mediaOf(session: OnvifSession, services: Services): readonly Media[] {
  const named = { media: services.get(MEDIA), media2: services.get(MEDIA2) };
  // Before anything is asked: one of another host spoils both.
  const newer = named.media2 === undefined ? [] : [media2(session, named.media2)];
  const older = named.media === undefined ? [] : [media1(session, named.media)];
  return [...newer, ...older];
}

function media1(session: OnvifSession, named: string): Media {
  const url = session.service(named);
  const service = mediaService(url.href, session.post(url, true));
  return {
    profiles: async () => readProfiles(1, (await service.getProfiles()).data),
    streamUri: async (token) => {
      const params = { ProfileToken: xmlText(token), Protocol: "RTSP" } as const;
      return readStreamUri(1, (await service.getStreamUri(params)).data);
    },
  };
}

function media2(session: OnvifSession, named: string): Media {
  const post = session.post(session.service(named), true);
  const ask = (method: string, inner: string) => callService(post, MEDIA2, method, inner);
  return {
    profiles: async () => readProfiles(2, await ask("GetProfiles", "<q:Type>All</q:Type>")),
    streamUri: async (token) => {
      const inner = `<q:Protocol>RTSP</q:Protocol><q:ProfileToken>${xmlText(token)}</q:ProfileToken>`;
      return readStreamUri(2, await ask("GetStreamUri", inner));
    },
  };
}
