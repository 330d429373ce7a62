import type { Socket } from "node:net";
import { z } from "zod";
import { type DeviceId, parseDeviceId } from "#base/ids";
import { SECOND_MS } from "#base/time";
import { listenAt } from "../control/listen.ts";

/** What a camera sends, of drivers/camera/fragments.ts: its picture as it came, with its own time. */
export type LivePiece =
  | { readonly kind: "init"; readonly bytes: Uint8Array }
  | {
      readonly kind: "fragment";
      readonly bytes: readonly Uint8Array[];
      readonly keyframe: boolean;
    };

/** What cameras show now, for whoever listens. Nothing of it is kept but each camera's current init. */
export interface Live {
  /** Passes a piece on to all who listen to `device`. Never waits. */
  show(device: DeviceId, piece: LivePiece): void;
  /** Shows `device` too from now on. */
  add(device: DeviceId): void;
  /** It is no camera of this box any more. */
  remove(device: DeviceId): void;
  /** The camera's stream has ended: who saw it is hung up on, and asks again. */
  end(device: DeviceId): void;
  /** Shows `device` to `socket` until either ends. A camera that is not recorded here is shown to nobody. */
  listen(device: DeviceId, socket: Socket): void;
}

/** Who is further behind than this is hung up on: the recorder's memory is for recording. */
const BEHIND_LIMIT_BYTES = 4 * 1024 * 1024;
const LISTENERS = 32;
const REQUEST_LIMIT_BYTES = 200;
const PATIENCE_MS = 5 * SECOND_MS;

interface Channel {
  init: Uint8Array | undefined;
  /** Each with whether it sees the stream already, or waits for a key picture. */
  readonly listeners: Map<Socket, "waits" | "sees">;
}

/**
 * Shows `devices`. Who sees no picture for `patienceMs` is hung up on, and may ask again: 32 who wait for a
 * camera that is not there must not shut everybody out.
 */
export function openLive(devices: readonly DeviceId[], patienceMs: number): Live {
  const channels = new Map<DeviceId, Channel>(
    devices.map((device) => [device, { init: undefined, listeners: new Map() }]),
  );

  function end(device: DeviceId): void {
    const channel = channels.get(device);
    if (!channel) return;
    channel.init = undefined;
    for (const [socket, state] of channel.listeners) {
      if (state === "waits") continue;
      socket.end();
      // Who does not take the rest, or never says goodbye, is not waited for.
      socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    }
  }

  return {
    show(device, piece) {
      // One connection is one stream that plays: another init is another stream.
      if (piece.kind === "init") end(device);
      const channel = channels.get(device);
      if (!channel) return;
      if (piece.kind === "init") channel.init = piece.bytes;
      else if (channel.listeners.size > 0) {
        // Who listens may be slower than the recorder, which needs the memory back.
        const own = { ...piece, bytes: piece.bytes.map((bytes) => Buffer.from(bytes)) };
        for (const [socket, state] of channel.listeners) pass(channel, socket, state, own);
      }
    },
    end,
    add(device) {
      if (!channels.has(device)) channels.set(device, { init: undefined, listeners: new Map() });
    },
    remove(device) {
      for (const socket of channels.get(device)?.listeners.keys() ?? []) socket.destroy();
      channels.delete(device);
    },
    listen(device, socket) {
      const channel = channels.get(device);
      if (!channel) {
        socket.destroy();
        return;
      }
      channel.listeners.set(socket, "waits");
      socket.setTimeout(patienceMs, () => socket.destroy());
      socket.once("close", () => channel.listeners.delete(socket));
    },
  };
}

function pass(
  { init, listeners }: Channel,
  socket: Socket,
  state: "waits" | "sees",
  { bytes, keyframe }: Extract<LivePiece, { kind: "fragment" }>,
): void {
  if (!socket.writable || init === undefined) return;
  socket.cork();
  if (state === "waits") {
    if (!keyframe) return socket.uncork();
    socket.write(init);
    listeners.set(socket, "sees");
  }
  for (const piece of bytes) socket.write(piece);
  socket.uncork();
  if (socket.writableLength > BEHIND_LIMIT_BYTES) socket.destroy();
}

/**
 * Shows cameras at the socket `path` until the signal aborts, to whoever may open it (its owner and group)
 * and writes one line, `{"device":"cam-01"}`: fMP4 as the camera's stream became, from its next key picture
 * on, its init before it. Another init, or the stream's end, ends the answer; who closes its side is gone.
 */
export async function serveLive(path: string, live: Live, signal: AbortSignal): Promise<void> {
  await listenAt(path, (socket) => hear(socket, live), signal, { most: LISTENERS });
}

/** Reads the one line. Who sends anything else, or more, or nothing for a while, is hung up on. */
function hear(socket: Socket, live: Live): void {
  let line = "";
  let asked = false;
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  const late = (): void => void (asked || socket.destroy());
  deadline.addEventListener("abort", late, { once: true });
  socket.once("close", () => deadline.removeEventListener("abort", late));
  socket.on("data", (bytes: Buffer) => {
    line += bytes.toString("latin1");
    const at = line.indexOf("\n");
    if (line.length > REQUEST_LIMIT_BYTES) return socket.destroy();
    if (at < 0) return undefined;
    const device = at === line.length - 1 ? deviceIn(line) : undefined;
    if (device === undefined) return socket.destroy();
    asked = true;
    return live.listen(device, socket);
  });
}

const request = z.strictObject({ device: z.string() });

function deviceIn(line: string): DeviceId | undefined {
  try {
    return parseDeviceId(request.parse(JSON.parse(line)).device);
  } catch {
    return undefined;
  }
}
