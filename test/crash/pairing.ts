import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseNodeId } from "#base/ids";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { parseNodeKey } from "../../storage/ledger/note.ts";
import { pairingOf, SEEN } from "../fakes/pairing.ts";
import { handClock, START } from "../fakes/rig.ts";

// Pairs one bodycam in the catalog of a folder, which a crash test kills on the way.

const [folder = ""] = process.argv.slice(2);
await using database = await openDatabase(join(folder, "catalog.db"));
const key = parseNodeKey("bewaard/test/dock-1", await readFile(join(folder, "node.key"), "utf8"));
const box = { node: parseNodeId("dock-1") };
await pairingOf({ folder, clock: handClock(START), database, box, key }, [SEEN]).pair();
process.stdout.write("paired");
