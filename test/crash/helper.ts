import { join } from "node:path";
import { carryOutOrders } from "../../daemon/helper/orders.ts";
import { clockAt, fakeMounts, placesIn } from "../fakes/helper-rig.ts";

// A root helper in a process of its own, to be stopped dead at a step (hook.ts). Arguments: the rig's folder, the
// time, the boot id.

const [root = "", at = "", boot = ""] = process.argv.slice(2);
const places = placesIn(root);
const mounts = fakeMounts(places, join(root, "content"));
await carryOutOrders(clockAt(at, boot), mounts, places, () => undefined);
