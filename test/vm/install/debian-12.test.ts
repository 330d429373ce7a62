import { describeNvr } from "./nvr.ts";

describeNvr("bookworm");
