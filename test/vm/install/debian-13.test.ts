import { goesWrong } from "./goes-wrong.ts";
import { describeNvr } from "./nvr.ts";

describeNvr("trixie", goesWrong);
