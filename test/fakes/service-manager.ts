import { join } from "node:path";
import { DgramSocket } from "node-unix-socket";

/** A manager as systemd is one: a datagram socket, and what came to it. */
export interface ServiceManager extends Disposable {
  readonly path: string;
  /** Every datagram, in the order in which they came. */
  readonly heard: readonly string[];
  /** The values told of `name`, in order. */
  told(name: string): readonly string[];
}

export function openServiceManager(folder: string): ServiceManager {
  const path = join(folder, "notify");
  const heard: string[] = [];
  const socket = new DgramSocket();
  socket.on("data", (datagram: Buffer) => heard.push(datagram.toString("utf8")));
  socket.bind(path);
  return {
    path,
    heard,
    told: (name) =>
      heard
        .flatMap((datagram) => datagram.split("\n"))
        .flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : [])),
    [Symbol.dispose]: () => socket.close(),
  };
}
