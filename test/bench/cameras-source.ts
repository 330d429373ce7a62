import { systemClock } from "#base/system-clock";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";

// The cameras, in a process of their own: what they cost is nobody's here. Prints their addresses, and ends
// with its standard input.

const [film = "", count = "1"] = process.argv.slice(2);
const video = await videoOf(film, "h264", 25);
const login = { scheme: "none", user: "", password: "", tls: undefined } as const;
const cameras = Array.from({ length: Number(count) }, () =>
  startCamera(systemClock, { video, sound: undefined, ...login }),
);
const urls = (await Promise.all(cameras)).map(({ url }) => url);
process.stdout.write(`${JSON.stringify(urls)}\n`);
process.stdin.resume().once("end", () => process.kill(process.pid, "SIGTERM"));
