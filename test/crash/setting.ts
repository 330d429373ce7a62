import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseNodeId } from "#base/ids";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { parseNodeKey } from "../../storage/ledger/note.ts";
import { capturedEvents, handClock, START } from "../fakes/rig.ts";
import { openSetting } from "../fakes/setting.ts";

// Core and the helper at one camera's clock, for a crash test to kill core anywhere: takes in what was reported, asks
// for the clock to be set, lets the helper do it, and takes in that.

const folder = process.argv[2] ?? "";
const clock = handClock(START);
clock.move(Number(process.argv[3]) - START);
await using database = await openDatabase(join(folder, "catalog.db"));
const key = parseNodeKey("bewaard/test/dock-1", await readFile(join(folder, "node.key"), "utf8"));
const events = capturedEvents([]);
const box = { node: parseNodeId("dock-1") };
const setting = await openSetting({ folder, clock, database, key, events, box });
await setting.settle();
await setting.ask();
await setting.report();
await setting.settle();
process.stdout.write((await setting.ask()).state);
