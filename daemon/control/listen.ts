import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type ServerOpts, type Socket } from "node:net";

/**
 * Lets whoever may open the socket `path` (its owner and group) in, until the signal aborts; then hangs up on
 * all. A socket that a crash left is replaced: a lease says that nobody else listens there. At most `most`
 * are let in at a time.
 */
export async function listenAt(
  path: string,
  letIn: (socket: Socket) => void,
  signal: AbortSignal,
  { most, ...options }: ServerOpts & { readonly most?: number } = {},
): Promise<void> {
  await rm(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // One that hangs up, or never ends, does not concern anybody else.
    socket.on("error", () => undefined);
    letIn(socket);
  });
  if (most !== undefined) server.maxConnections = most;
  try {
    server.listen(path);
    await once(server, "listening");
    // One who cannot be let in, on a machine without another file, is not.
    server.on("error", () => undefined);
    await chmod(path, 0o660);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}
