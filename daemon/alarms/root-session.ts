import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import type { Events } from "../events.ts";
import { type Alarm, once } from "./alarm.ts";

/** Where logind says who is logged in: a small file for each session, which anybody may read. */
const SESSIONS = "/run/systemd/sessions";

/**
 * Somebody is logged in as root: who is root on a recording box can see what passes (docs/threat-model.md). What logind
 * knows: at the console or over ssh, and at the moment of a look, each minute. Who becomes root in a session of another (sudo, su) is in the journal, and not here.
 */
export function rootSession(events: Events, folder: string = SESSIONS): Alarm {
  return {
    name: "root-session",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async () => {
      const sessions = await rootSessions(folder);
      return sessions.map(({ key, isRemote }) => ({
        about: key,
        tell: () => events.rootSession(isRemote),
      }));
    },
    tellOver: (_, since) => events.rootSessionOver(since),
  };
}

interface RootSession {
  /** Its number counts from each start of the machine: with its beginning it is never another's. */
  readonly key: string;
  readonly isRemote: boolean;
}

async function rootSessions(folder: string): Promise<readonly RootSession[]> {
  const found: RootSession[] = [];
  for (const name of await namesIn(folder)) {
    const text = await textOf(join(folder, name));
    const said = new Map(text.split("\n").map((line) => splitAt(line, "=")));
    // What root's own services and timers run in is no login.
    if (said.get("UID") !== "0" || !/^user(?:-|$)/.test(said.get("CLASS") ?? "")) continue;
    found.push({
      key: `${name}-${said.get("REALTIME") ?? ""}`,
      isRemote: said.get("REMOTE") === "1",
    });
  }
  return found;
}

/** Beside each session's file lies the pipe by which logind knows that it lasts (`N.ref`). */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[a-z]?\d+$/.test(name));
  } catch (error) {
    // Without logind nobody logs in by it.
    if (systemCode(error) === "ENOENT") return [];
    throw foreseen(error);
  }
}

/** Empty of one that ended this moment. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw foreseen(error);
  }
}

/** A machine that cannot say it now is asked again in a minute: that ends nothing else of core's. */
function foreseen(cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  const message = `logind's sessions cannot be read (${code})`;
  return (
    machineBusy(cause) ?? new BewaardError("MACHINE_BUSY", message, { transient: true, cause })
  );
}

function splitAt(line: string, mark: string): readonly [string, string] {
  const at = line.indexOf(mark);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
