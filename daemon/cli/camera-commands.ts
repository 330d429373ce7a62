import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import { BewaardError } from "#base/errors";
import { type Clock, dayOf, isoOf } from "#base/time";
import { readConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { recordSocketPath } from "../places.ts";
import { print, stopSignal, typed } from "./program.ts";
import { type Live, shownFoundCameras, shownListed, shownTest } from "./shown-cameras.ts";
import { parseNumber } from "./typed-number.ts";

/** `bewaarctl cameras …`: what hangs in buildings. */
export function addCameraCommands(
  program: Command,
  clock: Clock,
  global: () => { config: string; json: boolean },
): void {
  const cameras = program
    .command("cameras")
    .description("camera's in gebouwen / cameras in buildings");
  addList(cameras, clock, global);
  addDiscover(cameras, clock, global);
  addTest(cameras, clock, global);
}

function addList(
  command: Command,
  clock: Clock,
  global: () => { config: string; json: boolean },
): void {
  command
    .command("list")
    .description("welke er zijn, en of ze opnemen / which there are, and whether they record")
    .action(async () => {
      const { listCameras } = await import("../record/test-camera.ts");
      const config = await readConfig(resolve(global().config));
      const running = await runningOf(config);
      const cameras = listCameras(config, clock.now()).map((one) => ({
        ...one,
        live: running?.get(one.number) ?? null,
      }));
      print(global().json, { recorder: running !== undefined, cameras }, () =>
        shownListed(cameras, running !== undefined),
      );
    });
}

/** What the recorder says that each is doing; undefined when none runs. */
async function runningOf(config: Config): Promise<ReadonlyMap<string, Live> | undefined> {
  const { askStates } = await import("../record/states-socket.ts");
  try {
    const states = await askStates(recordSocketPath(config), stopSignal());
    return new Map(
      states.map(({ device, since, ...one }) => [device, { ...one, since: isoOf(since) }]),
    );
  } catch (error) {
    if (!(error instanceof BewaardError) || error.code !== "CONTROL_UNREACHABLE") throw error;
    return undefined;
  }
}

function addDiscover(cameras: Command, clock: Clock, global: () => { json: boolean }): void {
  cameras
    .command("discover")
    .description(
      "zoek camera's die ONVIF spreken, en toon regels voor de configuratie / look for cameras that speak ONVIF, and print lines for the configuration",
    )
    .option(
      "--interface <name>",
      "langs welke netwerkkaart: naam of eigen adres / by which network interface: name or own address",
    )
    .option("--to <address>", "vraag alleen dit adres / ask this address only: 10.1.2.3")
    .action(async (options: { interface?: string; to?: string }) => {
      const { discover, EVERYBODY } = await import("../../drivers/camera/onvif-discover.ts");
      const where = {
        from: options.interface === undefined ? undefined : typed(ownAddress, options.interface),
        to:
          options.to === undefined
            ? EVERYBODY
            : typed((text) => parseTo(text, EVERYBODY.port), options.to),
      };
      const found = await discover(clock, where, stopSignal());
      print(global().json, { found }, () => shownFoundCameras(found, dayOf(clock.now())));
    });
}

/** @throws RangeError for an interface that this machine has not, or without IPv4. */
function ownAddress(text: string): string {
  const all = networkInterfaces();
  const own = (all[text] ?? Object.values(all).flat()).find(
    (one) => one?.family === "IPv4" && (all[text] !== undefined || one.address === text),
  );
  if (own !== undefined) return own.address;
  throw new RangeError(`een van / one of: ${Object.keys(all).join(", ")}`);
}

/** @throws RangeError for what is no IPv4 address, with or without a port. */
function parseTo(text: string, usual: number): { address: string; port: number } {
  const [address = "", port = String(usual), ...rest] = text.split(":");
  const fits =
    isIPv4(address) && /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65536;
  if (fits && rest.length === 0) return { address, port: Number(port) };
  throw new RangeError("een adres / an address: 10.1.2.3");
}

function addTest(
  cameras: Command,
  clock: Clock,
  global: () => { config: string; json: boolean },
): void {
  cameras
    .command("test")
    .description(
      "bekijk één camera: tien seconden, waarvan niets bewaard blijft; afsluitcode 0 als er opgenomen zou worden / look at one camera: ten seconds, of which nothing is kept; exit code 0 when it would be stored",
    )
    .argument("<number>", "cameranummer / camera number")
    .action(async (text: string) => {
      const { testCamera } = await import("../record/test-camera.ts");
      const path = resolve(global().config);
      const tested = await testCamera(clock, path, typed(parseNumber, text), stopSignal());
      if (!tested.stored) process.exitCode = 1;
      print(global().json, tested, () => shownTest(tested));
    });
}
