import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseNodeId } from "#base/ids";
import { DAY_MS, plus } from "#base/time";
import { historyOf } from "../../daemon/one-history.ts";
import { confirmTime } from "../../daemon/trust.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { parseNodeKey, parseVerifier, verifierText } from "../../storage/ledger/note.ts";
import { openDirectoryVault } from "../../storage/vault/directory.ts";
import { lookForBackup } from "../fakes/backing-up.ts";
import { capturedEvents, handClock, START } from "../fakes/rig.ts";

// Makes a backup of the catalog of a folder, so many days later, which a crash test kills on the way.

const [folder = "", days = "0"] = process.argv.slice(2);
const clock = handClock(plus(START, Number(days) * DAY_MS));
await using database = await openDatabase(join(folder, "catalog.db"));
await using vault = await openDirectoryVault(join(folder, "vault"));
const node = parseNodeId("dock-1");
const key = parseNodeKey("bewaard/test/dock-1", await readFile(join(folder, "node.key"), "utf8"));
const said: string[] = [];
const events = capturedEvents(said);
const verifier = parseVerifier(verifierText(key));
const askHistory = historyOf(clock, events, database, vault, node, verifier);
const term = { termMs: 28 * DAY_MS, longestUndockedMs: DAY_MS, destroyWithinMs: DAY_MS };
const box = { node, term, producers: [], configured: [] };
await confirmTime(clock, database, clock.now(), "test");
await lookForBackup({ folder, clock, events, database, vault, box, key, askHistory }, 2);
process.stdout.write(said.join(" "));
