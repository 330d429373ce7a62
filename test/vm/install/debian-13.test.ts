import { describeNvr } from "./nvr.ts";

describeNvr("trixie");
