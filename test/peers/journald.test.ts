import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { z } from "zod";

const run = promisify(execFile);
const MUCH = fileURLToPath(new URL("../vm/more/much-said.ts", import.meta.url));
const UNIT = new URL("../../systemd/bewaard.service", import.meta.url);

/**
 * A journald of its own, in view of nobody else, to which a process of a service says much. Whose a process is journald reads in its
 * group, and what the unit says of its lines in two links of systemd's: a machine without systemd for its first process has neither.
 * There is room for 64 MB of lines: by that journald measures how many of each level it takes in 30 s of a unit that says nothing, some 25,000.
 */
const SCRIPT = `
node=$1 much=$2 interval=$3 burst=$4
shift 4
mount -t tmpfs -o size=640m tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /run/systemd/journal /run/systemd/units /run/log/journal
for one in interval:$interval burst:$burst; do
  [ -z "\${one#*:}" ] || ln -s "\${one#*:}" "/run/systemd/units/log-rate-limit-\${one%:*}:bewaard.service"
done
/usr/lib/systemd/systemd-journald 2> /dev/null & journald=$!
trap 'kill $journald; wait $journald || true' EXIT
until [ -S /run/systemd/journal/socket ]; do sleep 0.1; done
printf '1:name=systemd:/system.slice/bewaard.service\\n0::/system.slice/bewaard.service\\n' > /run/group
bash -euc 'mount --bind /run/group /proc/$$/cgroup; exec "$@"' service "$node" "$much" say "$@"
journalctl --sync
journalctl -D /run/log/journal -t much _SYSTEMD_UNIT=bewaard.service -o json --all --no-pager | "$node" "$much" hear
`;

const heardSchema = z.object({ heard: z.number(), wrong: z.unknown() });

/** What the unit says of its lines, as systemd tells journald: microseconds, and how many in that time. */
async function limitsOfUnit(): Promise<readonly [interval: string, burst: string]> {
  const text = await readFile(UNIT, "utf8");
  const [, seconds = ""] = /^LogRateLimitIntervalSec=(\d+)s$/m.exec(text) ?? [];
  const [, burst = ""] = /^LogRateLimitBurst=(\d+)$/m.exec(text) ?? [];
  return [`${seconds}000000`, burst];
}

/** What is in the journal once a service with these limits has said so many lines, `perSecond` of them where that is given. */
async function heard(limits: readonly [string, string], ...said: readonly string[]) {
  const inside = ["-m", "-n", "bash", "-euc", SCRIPT, "much", process.execPath, MUCH];
  const { stdout } = await run("unshare", [...inside, ...limits, ...said]);
  const [, json = ""] = stdout.trim().split("\n");
  return heardSchema.parse(JSON.parse(json));
}

describe("systemd's own journald", function () {
  this.timeout(600_000);

  it("has 30,000 lines that come at once, each with its fields, and nothing that 10,000 hostile values brought in", async () => {
    assert.deepEqual(await heard(await limitsOfUnit(), "30000"), { heard: 30_000, wrong: null });
  });

  it("has all of 10,000 lines a second", async () => {
    const all = await heard(await limitsOfUnit(), "50000", "10000");
    assert.deepEqual(all, { heard: 50_000, wrong: null });
  });

  it("would not, but for what the unit says of them", async () => {
    const { heard: kept } = await heard(["", ""], "50000");
    // Those of its alarms, a third, are fewer than that.
    assert.ok(kept > 25_000 && kept < 45_000, `${kept}`);
  });
});
