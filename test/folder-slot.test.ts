import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { instant, SECOND_MS } from "#base/time";
import { firstReady } from "../daemon/cli/shown-slots.ts";
import type { Ask } from "../daemon/control/client.ts";
import { METHODS, READ } from "../daemon/control/protocol.ts";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { dock } from "../daemon/dock.ts";
import { openFair } from "../daemon/docks/fair.ts";
import { saySlot } from "../daemon/docks/say-slots.ts";
import { openSlotBoard } from "../daemon/docks/slot-board.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { knownFiles } from "../storage/catalog/find.ts";
import { CAMERA, dockOf, named, openRig, type Rig } from "./fakes/rig.ts";
import { NO_SLOTS } from "./fakes/slots.ts";
import { NONE_PAIRED } from "./fakes/well.ts";

const SLOT = "folder/bc-0101";

function answering(rig: Rig, hasRoom: () => boolean): Ask {
  return async (method, params) => {
    if (method === "room") return READ[method]({ granted: hasRoom() });
    if (method !== "known" || !("files" in params)) return READ[method](NONE_PAIRED);
    const files = params.files.map(({ path, bytes, modifiedAtMs }) => ({
      path: Buffer.from(path, "base64"),
      bytes,
      modifiedAt: instant(modifiedAtMs),
    }));
    return READ[method]({ known: await knownFiles(rig.database, CAMERA, files) });
  };
}

/** A dock with a folder for its camera, and the board that people see. */
async function openFolder() {
  const rig = await openRig();
  const clock = simulatedClock(rig.clock.now());
  const stop = new AbortController();
  const board = openSlotBoard(clock, saySlot(rig.events));
  const room = { any: true };
  const card = join(rig.folder, "card");
  const ask = answering(rig, () => room.any);
  const docks = [dockOf(CAMERA, card)];
  const slots = { ...NO_SLOTS, board };
  const { events, sealing } = rig;
  const running = dock(
    clock,
    events,
    unattended(clock),
    ask,
    sealing,
    openFair(2),
    docks,
    slots,
    stop.signal,
  );
  await clock.asleep(2, stop.signal);
  return {
    rig,
    card,
    room,
    news: () => board.news().find(({ slot }) => slot === SLOT),
    async write(name: string, content: string) {
      await mkdir(dirname(join(card, name)), { recursive: true });
      await writeFile(join(card, name), content);
    },
    /** Lets seconds pass, and core adopt meanwhile, until the folder shows that state. */
    async until(state: string, seconds = 120): Promise<number> {
      for (let second = 0; second < seconds; second += 1) {
        if (board.read(SLOT).state === state) return second;
        await clock.pass(SECOND_MS, stop.signal);
        await rig.adoptOnce();
      }
      return assert.fail(`${state}: ${JSON.stringify(board.read(SLOT))}`);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await rig[Symbol.asyncDispose]();
    },
  };
}

describe("a folder that stands for a camera", () => {
  it("shows what a slot shows: busy from its first file, safe when all is kept, free when it is empty", async () => {
    await using folder = await openFolder();
    assert.equal(folder.news(), undefined);
    await folder.write(named(0), "een");
    await folder.until("busy");
    assert.equal(folder.news()?.number, CAMERA);
    await folder.until("safe");
    const { why, files, filesDone, hoursFree } = folder.news() ?? {};
    assert.deepEqual([why, files, filesDone, hoursFree], ["not-wiped-here", 1, 1, null]);
    await rm(folder.card, { recursive: true });
    await folder.until("free");
    for (const event of ["docked", "slot-safe", "undocked"])
      assert.ok(folder.rig.said.includes(event), event);
  });

  it("is not safe while files are still being put there, one after the other", async () => {
    await using folder = await openFolder();
    await folder.write(named(0), "een");
    await folder.until("busy");
    for (const minute of [1, 2, 3]) {
      // All of before is kept by now, and more comes.
      await assert.rejects(folder.until("safe", 8));
      await folder.write(named(minute), "nog een");
    }
    await folder.until("safe");
    assert.equal(folder.news()?.files, 4);
  });

  it("says why it failed, and goes on by itself when it can", async () => {
    await using folder = await openFolder();
    folder.room.any = false;
    await folder.write(named(0), "een");
    await folder.until("failed");
    assert.equal(folder.news()?.why, "no-room");
    folder.room.any = true;
    await folder.until("safe");
  });

  it("is news that core takes, and never the first that is ready: it stays so for ever", async () => {
    await using folder = await openFolder();
    await folder.write(named(0), "een");
    await folder.until("safe");
    const news = folder.news();
    assert.ok(news && news.readySince !== null);
    METHODS["docks.news"].params.parse({ slots: [news] });
    assert.throws(() =>
      METHODS["docks.news"].params.parse({ slots: [{ ...news, slot: "folder/../x" }] }),
    );
    const slot = { ...news, slot: "0000:00:14.0/2.3", readyUptimeMs: 1e12 };
    assert.equal(firstReady([news]), undefined);
    assert.equal(firstReady([news, slot])?.slot, slot.slot);
  });
});
