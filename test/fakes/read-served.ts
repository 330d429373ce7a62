import { writeSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { servedFfmpeg } from "../../config/served.ts";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, heard, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import type { Medium } from "../../daemon/demo/simulated-medium.ts";
import { openReading } from "../../daemon/record/reading.ts";
import { openFragments } from "../../drivers/camera/fragments.ts";
import { openGate } from "../../drivers/camera/gate.ts";
import { openRemux } from "../../drivers/camera/remux.ts";
import { address } from "./gate-client.ts";
import { NEVER } from "./rig.ts";

// A process of its own, as the recorder is in its unit: told where ffmpeg is served, with the port of all gates open as file 3. It
// reads two cameras at once, of films in the folder that it is told, and prints what came of them.

const [folder = ""] = process.argv.slice(2);
const open = { scheme: "none", user: "", password: "", tls: undefined } as const;

await using reading = await openReading(systemClock, servedFfmpeg(), () => undefined);

async function seen(video: Medium, sound: Medium, isHeard: boolean): Promise<string> {
  await using camera = await startCamera(systemClock, { video, sound, ...open });
  const asked = address(camera.url, { sound: isHeard });
  await using gate = await openGate(systemClock, asked, NEVER, reading.door);
  await using remux = await openRemux(gate.url, gate.offer, reading.start);
  gate.admit(remux.reader, () => undefined);
  const entries: string[] = [];
  let fragments = 0;
  for await (const piece of remux.read(openFragments())) {
    if (piece.kind === "init") entries.push(...piece.tracks.map(({ entry }) => entry));
    else if (++fragments === 3) break;
  }
  return `${entries.join("+")} ${fragments} ${await laterAnswer(gate.url)}`;
}

/** What one of this process hears who comes later, with the path: nothing at all where ffmpeg has a network of its own. */
async function laterAnswer(url: string): Promise<string> {
  const later = connect(Number(new URL(url).port), "127.0.0.1");
  try {
    later.write(`OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    return (await text(later)).slice(9, 12);
  } catch (error) {
    return systemCode(error) ?? "";
  }
}

// They take long to make: not while a camera is being read.
const [first, second] = [
  await filmed(folder, SMALL_FILM),
  await filmed(folder, { ...SMALL_FILM, codec: "h265" }),
];
const [g711, aac] = [await heard(folder, "pcma"), await heard(folder, "aac")];
const both = await Promise.all([seen(first, g711, false), seen(second, aac, true)]);
writeSync(1, `${both.join("\n")}\n`);
