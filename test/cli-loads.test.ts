import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";

const run = promisify(execFile);
const CLI = fileURLToPath(new URL("../daemon/cli/bewaarctl.ts", import.meta.url));

/** Says on stderr what was loaded. */
const WATCH = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    process.stderr.write(url + "\\n");
    return next(url, context);
  },
});
`)}`;

describe("bewaarctl", () => {
  it("loads what its command needs, and nothing of desks, buckets, cameras and the catalog: people wait for it", async () => {
    const { stderr } = await run(process.execPath, ["--import", WATCH, CLI, "--help"]);
    assert.match(stderr, /daemon\/cli\/desk-commands\.ts/);
    const others = /@aws-sdk|@noble|age-encryption|node-onvif|fluent-ffmpeg|sqlite3|daemon\/desk\//;
    assert.deepEqual(
      stderr.split("\n").filter((line) => others.test(line)),
      [],
    );
  });
});
