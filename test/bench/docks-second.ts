import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/system-clock";
import { isoOf, MINUTE_MS, plus } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secrets.ts";
import { slotOf } from "../../daemon/demo/simulated-usb.ts";
import { carryOutOrders } from "../../daemon/helper/orders.ts";
import { readRecord } from "../../daemon/helper/record.ts";
import { signOrder } from "../../daemon/orders/order.ts";
import { ordersPath, originOf } from "../../daemon/places.ts";
import { parseNodeKey } from "../../storage/ledger/note.ts";
import { type MemoryDocks, memoryMounts, placesIn } from "./docks-cards.ts";
import { readBytes } from "./processes.ts";

// The root helper that reads a card a second time: the real one, in a process of its own, as systemd/bewaard-orders.service
// runs it.

const SELF = fileURLToPath(import.meta.url);
const UNIT = new URL("../../systemd/bewaard-orders.service", import.meta.url);
/** As if on a card: no profile takes it, so only the second read ever reads it. It takes longer than any run. */
const IGNORED = "DCIM/100MEDIA/second.tmp";
const ENDLESS_BYTES = 2 ** 40;
const NEVER = new AbortController().signal;

export interface SecondRead {
  /** How much it has read, in bytes. */
  readBytes(): Promise<number>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Orders the card of `camera`, which is in its slot, to be wiped, and returns once it is being read. */
export async function startSecondRead(
  folder: string,
  config: Config,
  docks: MemoryDocks,
  camera: number,
  name: string,
): Promise<SecondRead> {
  const record = await readRecord(docks.places.cards, name);
  if (record?.mountedAt == null) throw new Error(`${name} is not mounted`);
  const nonce = randomBytes(16).toString("hex");
  const now = systemClock.now();
  const order = {
    bewaard: "order/1" as const,
    node: config.node,
    nonce,
    bootId: systemClock.bootId(),
    slot: slotOf(camera + 1),
    name,
    device: record.device,
    volume: record.volume.serial ?? "",
    issuedAt: isoOf(now),
    expiresAt: isoOf(plus(now, 9 * MINUTE_MS)),
    verb: "wipe" as const,
    how: "unlink" as const,
    files: [
      {
        path: Buffer.from(IGNORED).toString("base64"),
        bytes: ENDLESS_BYTES,
        sha256: "0".repeat(64),
      },
    ],
  };
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  await rm(ordersPath(config), { recursive: true, force: true });
  await mkdir(ordersPath(config), { mode: 0o700 });
  await writeFile(join(ordersPath(config), `${nonce}.order`), signOrder(key, order), {
    mode: 0o600,
  });
  const helper = spawn(
    "nice",
    ["-n", await niceOfUnit(), process.execPath, SELF, folder, config.state],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const ended = once(helper, "exit");
  const { pid } = helper;
  await reads(pid);
  return {
    readBytes: () => readBytes(pid),
    pause: () => void helper.kill("SIGSTOP"),
    resume: () => void helper.kill("SIGCONT"),
    async stop() {
      helper.kill("SIGKILL");
      await ended;
    },
  };
}

/** Puts that endless file on the card of `camera`, while it is in no slot. It is all holes, and takes no memory. */
export async function fillEndless(docks: MemoryDocks, camera: number): Promise<void> {
  const path = join(docks.cardOf(camera), IGNORED);
  await mkdir(join(path, ".."), { recursive: true });
  await using file = await open(path, "w");
  await file.truncate(ENDLESS_BYTES);
}

async function niceOfUnit(): Promise<string> {
  return /^Nice=(-?\d+)$/m.exec(await readFile(UNIT, "utf8"))?.[1] ?? "0";
}

async function reads(pid: number | undefined): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await readBytes(pid)) > 64 * 1024 * 1024) return;
    await systemClock.sleep(50, NEVER);
  }
  throw new Error("the second read did not begin");
}

if (import.meta.main) {
  const [folder = "", state = ""] = process.argv.slice(2);
  const places = placesIn(folder, { state });
  await carryOutOrders(systemClock, memoryMounts(folder), places, (nonce, report) =>
    process.stderr.write(`${nonce}: ${JSON.stringify(report)}\n`),
  );
}
