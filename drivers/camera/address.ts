/** What a camera is logged in with. Never in a URL, a command line or a message (invariant 7). */
export interface CameraLogin {
  readonly user: string;
  readonly password: string;
}

/** Where a camera's stream is, and what may be asked of it. */
export interface CameraAddress {
  /** rtsp:// or rtsps://, without a login in it. */
  readonly url: string;
  readonly login: CameraLogin | undefined;
  /** Whether the password may go over the line as it is. */
  readonly basic: boolean;
  /** Of rtsps: SHA-256 of the certificate in DER, 64 lower-case hex digits. */
  readonly certificate: string | undefined;
  /** Whether sound may be asked for (AR-14). */
  readonly sound: boolean;
}

export type VideoCodec = "h264" | "h265";

export type AudioCodec = "aac" | "pcma" | "pcmu";

/** What a camera offers, and what of it is taken. */
export interface Offer {
  readonly video: VideoCodec;
  /** The sound that is taken; undefined where none may be, or none is offered. */
  readonly audio: AudioCodec | undefined;
  /** Whether the camera has sound to offer, taken or not. */
  readonly soundOffered: boolean;
  /** Whether the camera's description already says what its pictures are: ffmpeg need not look for it. */
  readonly pictureKnown: boolean;
}
