import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Required by mocha (package.json), in each process of its own, and before the temporary folders move to memory: on the
// disk it is there for the next run too. Most of the start of a process of Node is compiling the same files again: what
// was compiled is kept, also for what the tests start, which inherits this.

/** Where what was compiled is kept: for processes of a test that get an environment of their own. */
export const COMPILE_CACHE =
  process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "bewaard-test-compile-cache");

// Of functions that were not compiled anew V8 does not know well which parts have run.
if (process.env["NODE_V8_COVERAGE"] === undefined) {
  process.env["NODE_COMPILE_CACHE"] = COMPILE_CACHE;
  enableCompileCache(COMPILE_CACHE);
}
