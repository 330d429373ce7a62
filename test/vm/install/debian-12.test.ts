import { describeNvr } from "./nvr.ts";
import { isUpgraded } from "./upgraded.ts";

describeNvr("bookworm", isUpgraded);
