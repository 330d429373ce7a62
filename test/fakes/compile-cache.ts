import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Required by mocha (package.json), in each process of its own. Most of the start of a process of Node is compiling
// the same files again: what was compiled is kept, also for what the tests start, which inherits this.

const FOLDER = join(tmpdir(), "bewaard-test-compile-cache");

// Of functions that were not compiled anew V8 does not know well which parts have run.
if (process.env["NODE_V8_COVERAGE"] === undefined) {
  process.env["NODE_COMPILE_CACHE"] ??= FOLDER;
  enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
}
