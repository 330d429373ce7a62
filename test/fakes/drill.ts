import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { systemCode } from "#base/errors";
import { until } from "./until.ts";

/** The blocks of commands under one heading of a page in docs/. */
export async function commandsOf(page: string, heading: string): Promise<readonly string[]> {
  const all = await readFile(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  const [, section = ""] = all.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
}

/** A machine on which the commands of a page do what they say, with its folders in `folder`. */
export interface Machine extends AsyncDisposable {
  /** Runs a block as it stands there, with `typed` on its standard input. Returns what it printed; it must succeed. */
  run(block: string, typed?: string): Promise<string>;
}

const CLI = fileURLToPath(new URL("../../daemon/cli/", import.meta.url));

/** `folder` is its /etc/bewaard. systemd and users are played: one process of this user is the service. */
export async function openMachine(folder: string): Promise<Machine> {
  const bin = join(folder, "bin");
  await mkdir(bin);
  const program = (name: string, before = ""): string =>
    `exec '${process.execPath}' '${CLI}${name}.ts' ${before} -c '${folder}/bewaard.yaml' "$@"`;
  const shims = {
    bewaard: program("bewaard"),
    bewaarctl: program("bewaarctl"),
    // runuser -u <user> -- <command …>
    runuser: 'shift 3\nexec "$@"',
    "node-key.sh": `bewaard setup | tail -n 1 > '${folder}/node.vkey'`,
    systemctl: `case "$1 $2" in
"restart bewaard.service") ;;
"start bewaard.service")
  bewaard run core dock > '${folder}/service.log' 2>&1 < /dev/null &
  echo $! > '${folder}/service.pid'
  until bewaarctl status > /dev/null 2>&1; do kill -0 $!; sleep 0.2; done ;;
*) echo "not played: $*" >&2; exit 1 ;;
esac`,
  };
  for (const [name, script] of Object.entries(shims)) {
    await writeFile(join(bin, name), `#!/bin/sh\nset -e\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return {
    async run(block, typed = "") {
      const commands = block
        .replaceAll("/usr/lib/bewaard/systemd/", "")
        .replaceAll("/etc/bewaard", folder);
      const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
      const child = spawn("bash", ["-euo", "pipefail", "-c", commands], { env, stdio: "pipe" });
      child.stdin.on("error", () => undefined);
      child.stdin.end(typed);
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
      if (child.exitCode === null) await once(child, "close");
      assert.equal(child.exitCode, 0, `${block}\n${out}\n${err}`);
      return out;
    },
    async [Symbol.asyncDispose]() {
      const pid = await readFile(join(folder, "service.pid"), "utf8").catch(() => undefined);
      if (pid !== undefined) await stopped(Number(pid));
    },
  };
}

async function stopped(pid: number): Promise<void> {
  if (!signalled(pid, "SIGTERM")) return;
  await until(() => !signalled(pid, 0));
}

/** False when it is gone. */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
    throw error;
  }
}
