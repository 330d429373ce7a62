import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { z } from "zod";
import { isoOf } from "#base/time";
import type { Params, Result } from "../../daemon/control/protocol.ts";
import { readOrder, type SetTimeOrder } from "../../daemon/orders/order.ts";
import { type Report, reportPath, reportText } from "../../daemon/orders/report.ts";
import { settleTimes } from "../../daemon/set-time/settle-times.ts";
import { type TimeFile, timeSetter } from "../../daemon/set-time/time-setter.ts";
import { parseVerifier, verifierText } from "../../storage/ledger/note.ts";
import { rowsOf } from "./medium.ts";
import { CAMERA, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";
import { RECORD, type WipedBox } from "./wiping.ts";

export const TIME_FILE: TimeFile = {
  path: "TIME.TXT",
  template: "{year}-{month}-{day} {hour}:{minute}:{second}\n",
  line_end: "crlf",
  zone: "Europe/Amsterdam",
};

export interface SettingOptions {
  readonly file?: TimeFile | null;
  readonly trusted?: () => Promise<boolean>;
  readonly folders?: { readonly orders: string; readonly reports: string };
}

/** Core's half of setting the clock of the rig's camera, and a helper that reports what it is told to. */
export interface Setting {
  ask(change?: Partial<Params<"docks.set-time">>): Promise<Result<"docks.set-time">>;
  /** What core has signed and nobody has taken up yet. */
  orders(): Promise<readonly SetTimeOrder[]>;
  /** Reports `change` of each order there is, and takes it away. */
  report(change?: Partial<Report>): Promise<void>;
  /** One turn of the loop. */
  settle(): Promise<void>;
  readonly question: Params<"docks.set-time">;
  readonly reports: string;
}

const entry = z.object({
  order: z.string(),
  docking: z.string(),
  offsetMs: z.number().nullable(),
  outcome: z.string(),
  why: z.string().nullable(),
});

/** The ledger's entries of clocks that were set, in order. */
export async function clocksSet(rig: Rig): Promise<readonly z.output<typeof entry>[]> {
  const rows = await rowsOf(rig, "select body from entry where kind = 'clock.set' order by seq");
  return rows.map((row) => entry.parse(JSON.parse(String(row["body"]))));
}

export async function openSetting(rig: WipedBox, options: SettingOptions = {}): Promise<Setting> {
  const { database, events, key } = rig;
  const orders = options.folders?.orders ?? join(rig.folder, "orders");
  const reports = options.folders?.reports ?? join(rig.folder, "reports");
  await mkdir(reports, { recursive: true, mode: 0o755 });
  const clock = { ...rig.clock, bootId: () => RECORD.bootId };
  const outstanding = { any: true };
  const desk = { node: rig.box.node, key, folder: orders };
  const { file = TIME_FILE, trusted = async () => true } = options;
  const fileOf = async (device: string) => (device === CAMERA ? file : undefined);
  const ask = timeSetter(clock, events, database, desk, fileOf, trusted, outstanding);
  const at = isoOf(rig.clock.now());
  const question = { docking: ulid(rig.clock.now()), record: { ...RECORD, at }, offsetMs: -4000 };
  const verifier = parseVerifier(verifierText(key));

  async function left(): Promise<readonly SetTimeOrder[]> {
    const names = await readdir(orders).catch(() => []);
    const read = names.map(async (name) =>
      readOrder(verifier, await readFile(join(orders, name), "utf8")),
    );
    return (await Promise.all(read)).filter((order) => order.verb === "set-time");
  }

  return {
    question,
    reports,
    orders: left,
    ask: (change = {}) => ask({ ...question, ...change }),
    async report(change = {}) {
      for (const { nonce } of await left()) {
        const now = isoOf(rig.clock.now());
        const times = { startedAt: now, endedAt: now };
        const said: Report = {
          bewaard: "report/1",
          nonce,
          verb: "set-time",
          ...times,
          outcome: "done",
          why: null,
          removed: [],
          kept: [],
          left: 1,
          ...change,
        };
        await writeFile(reportPath(reports, nonce), reportText(said), { mode: 0o644 });
        await rm(join(orders, `${nonce}.order`));
      }
    },
    async settle() {
      const turn = turns(rig.clock, 1);
      const folders = { orders, folder: reports, owner: process.getuid?.() ?? 0 };
      const turned = { ...turn.clock, bootId: () => RECORD.bootId };
      await settleTimes(turned, events, database, folders, outstanding, turn.signal);
    },
  };
}
