import { DgramSocket } from "node-unix-socket";

// Run as a process of its own, as journald is: `<path> <ms>` binds the path, and then takes `ms` for each datagram,
// reading nothing meanwhile. What it reads goes to standard output, each with its length (32 bit) before it; first
// comes an empty one, once it may be sent to.

const [path = "", pauseMs = "0"] = process.argv.slice(2);
const flag = new Int32Array(new SharedArrayBuffer(4));
const reader = new DgramSocket();

function tell(datagram: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(datagram.length);
  process.stdout.write(Buffer.concat([length, datagram]));
}

reader.on("data", (datagram: Buffer) => {
  if (pauseMs !== "0") Atomics.wait(flag, 0, 0, Number(pauseMs));
  tell(datagram);
});
reader.bind(path);
tell(Buffer.alloc(0));
