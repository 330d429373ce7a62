import { temporaryFolder } from "../fakes/folder.ts";
import { dockAll } from "./docked.ts";
import { openGuest } from "./frozen.ts";
import { recordSysfs } from "./record-sysfs.ts";

// Prints what test/fakes/sysfs/five-cameras.txt holds: node test/vm/record-docked.ts > test/fakes/sysfs/five-cameras.txt

await using folder = await temporaryFolder();
await using guest = await openGuest();
await dockAll(guest, folder.path);
process.stdout.write(await recordSysfs(guest));
