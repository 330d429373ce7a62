import { z } from "zod";
import { address, element, list, number, perhaps, readBody, words } from "./onvif-xml.ts";

/** One way in which a camera offers its pictures, as it says itself. Null is what it does not say. */
export interface Profile {
  readonly token: string;
  readonly name: string | null;
  /** In its words: H264, H265, JPEG… */
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly gopFrames: number | null;
  readonly bitrateKbps: number | null;
  /** The codec of the sound that is set up in it; null where there is none. */
  readonly sound: string | null;
  /** Whether it has the camera analyse its pictures. */
  readonly analytics: boolean;
}

const attributes = z.object({ token: z.string().regex(/^[\x20-\x7e]{1,128}$/) });
const sound = perhaps(z.object({ Encoding: words }));
const gop = perhaps(z.object({ GovLength: number }));
const encoder = z.object({
  Encoding: words,
  Resolution: perhaps(z.object({ Width: number, Height: number })),
  // Some leave it out, on which node-onvif ends the whole description.
  RateControl: perhaps(z.object({ FrameRateLimit: number, BitrateLimit: number })),
});

const oldProfile = z
  .object({
    $: attributes,
    Name: words,
    VideoEncoderConfiguration: perhaps(encoder.extend({ H264: gop, MPEG4: gop })),
    AudioEncoderConfiguration: sound,
    VideoAnalyticsConfiguration: z.unknown().optional(),
  })
  .transform((one): Profile => {
    const video = one.VideoEncoderConfiguration;
    return {
      token: one.$.token,
      name: one.Name,
      ...pictures(video),
      gopFrames: (video?.H264 ?? video?.MPEG4)?.GovLength ?? null,
      sound: one.AudioEncoderConfiguration?.Encoding ?? null,
      analytics: one.VideoAnalyticsConfiguration !== undefined,
    };
  });

const newProfile = z
  .object({
    $: attributes,
    Name: words,
    Configurations: perhaps(
      z.object({
        VideoEncoder: perhaps(encoder.extend({ $: gop })),
        AudioEncoder: sound,
        Analytics: z.unknown().optional(),
      }),
    ),
  })
  .transform((one): Profile => {
    const { VideoEncoder: video, AudioEncoder: audio, Analytics } = one.Configurations ?? {};
    return {
      token: one.$.token,
      name: one.Name,
      ...pictures(video),
      gopFrames: video?.$?.GovLength ?? null,
      sound: audio?.Encoding ?? null,
      analytics: Analytics !== undefined,
    };
  });

function pictures(video: z.output<typeof encoder> | undefined) {
  return {
    codec: video?.Encoding ?? null,
    width: video?.Resolution?.Width ?? null,
    height: video?.Resolution?.Height ?? null,
    fps: video?.RateControl?.FrameRateLimit ?? null,
    bitrateKbps: video?.RateControl?.BitrateLimit ?? null,
  };
}

function profilesOf<T extends z.ZodType<Profile>>(profile: T) {
  return z.object({ GetProfilesResponse: element(z.object({ Profiles: list(profile) })) });
}

const oldProfiles = profilesOf(oldProfile);
const newProfiles = profilesOf(newProfile);
const oldStream = z.object({
  GetStreamUriResponse: z.object({ MediaUri: z.object({ Uri: address }) }),
});
const newStream = z.object({ GetStreamUriResponse: z.object({ Uri: address }) });

/** What `GetProfiles` answers: of the media service, or of Media2, which knows H.265. */
export function readProfiles(generation: 1 | 2, body: unknown): readonly Profile[] {
  const schema = generation === 1 ? oldProfiles : newProfiles;
  return readBody(schema, "GetProfiles", body).GetProfilesResponse.Profiles;
}

/** What `GetStreamUri` answers, as the camera wrote it. */
export function readStreamUri(generation: 1 | 2, body: unknown): string {
  return generation === 1
    ? readBody(oldStream, "GetStreamUri", body).GetStreamUriResponse.MediaUri.Uri
    : readBody(newStream, "GetStreamUri", body).GetStreamUriResponse.Uri;
}
