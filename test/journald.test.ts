import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";

const run = promisify(execFile);
const JOURNALD = "/usr/lib/systemd/systemd-journald";
const MUCH = fileURLToPath(new URL("vm/more/much-said.ts", import.meta.url));
const HERE = existsSync(JOURNALD) && process.getuid?.() === 0;

/** A journald of its own, in view of nobody else. */
const SCRIPT = `
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /run/systemd/journal /run/log/journal
${JOURNALD} 2> /dev/null & journald=$!
trap 'kill $journald; wait $journald || true' EXIT
until [ -S /run/systemd/journal/socket ]; do sleep 0.1; done
"$1" "$2" say 30000
journalctl --sync
journalctl -D /run/log/journal -t much -o json --all --no-pager | "$1" "$2" hear
`;

(HERE ? describe : () => undefined)("systemd's own journald", () => {
  it("has 30,000 lines that come at once, each with its fields, and nothing that 10,000 hostile values brought in", async function () {
    this.timeout(600_000);
    const inside = ["-m", "-n", "bash", "-euc", SCRIPT, "much", process.execPath, MUCH];
    const { stdout } = await run("unshare", inside);
    const [, heard = ""] = stdout.trim().split("\n");
    assert.deepEqual(JSON.parse(heard), { heard: 30_000, wrong: null });
  });
});
