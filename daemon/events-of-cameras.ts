import type { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { failed, type Say } from "./say.ts";

// What there is to say of cameras on walls: a part of daemon/events.ts.

export function cameraEvents(say: Say) {
  return {
    cameraRecording: (device: DeviceId, video: string, sound: string | undefined) =>
      say("notice", "camera-recording", "recording {video}[ and {sound}]", {
        device,
        video,
        sound: sound ?? null,
      }),
    cameraFailed: (device: DeviceId, error: BewaardError) =>
      // A login that is wrong stays wrong: somebody must come.
      say(error.transient ? "error" : "alert", "camera-failed", "not recorded", {
        device,
        ...failed(error),
      }),
    cameraIdle: (device: DeviceId, state: string) =>
      say("notice", "camera-idle", "not to be recorded now: {state}", { device, state }),
    cameraDamaged: (device: DeviceId, packets: number) =>
      say(
        "warning",
        "camera-damaged",
        "{packets} packets are missing: damaged footage is kept, a gap",
        { device, packets },
      ),
    cameraDropped: (device: DeviceId, waitingBytes: number, error: BewaardError) =>
      say("alert", "camera-dropped", "the spool does not take it, footage is dropped, a gap", {
        device,
        waitingBytes,
        ...failed(error),
      }),
    cameraUnkept: (device: DeviceId, error: BewaardError) =>
      say("alert", "camera-unkept", "what was recorded could not be kept, a gap", {
        device,
        ...failed(error),
      }),
    cameraClock: (device: DeviceId, offsetMs: number) =>
      say(
        "alert",
        "camera-clock",
        "its own clock is off by {offsetMs}: times here are by this box",
        { device, offsetMs },
      ),
    cameraIntruder: (device: DeviceId) =>
      say("alert", "camera-intruder", "another process here asked for its stream: refused", {
        device,
      }),
    gateFlooded: () =>
      say(
        "alert",
        "gate-flooded",
        "more came to the gates of cameras than can wait: some went unheard",
        {},
      ),
    cameraSound: (device: DeviceId) =>
      say("info", "camera-sound", "offers sound, and it is not asked for", { device }),
    cameraSoundless: (device: DeviceId) =>
      say("warning", "camera-soundless", "its sound is wanted, and cannot be taken", { device }),
    cameraUnknown: (device: DeviceId) =>
      say("alert", "camera-unknown", "core does not know this camera: its footage waits", {
        device,
      }),
    ...recorderEvents(say),
  };
}

/** What is said of the recorder itself. */
function recorderEvents(say: Say) {
  return {
    folderMade: () =>
      say("alert", "folder-made", "incoming/record was gone, with what was in it: made again", {}),
    gapsDelayed: (error: BewaardError) =>
      say("error", "gaps-delayed", "what was not recorded could not be noted yet", failed(error)),
    socketDelayed: (error: BewaardError) =>
      say(
        "error",
        "socket-delayed",
        "what cameras do cannot be shown, and they are recorded",
        failed(error),
      ),
    marksUnread: () =>
      say("alert", "marks-unread", "how far cameras were recorded cannot be read: begun anew", {}),
  };
}
