import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { z } from "zod";
import type { SegmentId } from "#base/ids";
import { isoOf } from "#base/time";
import type { Params, Result } from "../../daemon/control/protocol.ts";
import { readOrder, type WipeOrder } from "../../daemon/orders/order.ts";
import { type KeptFile, type Report, reportPath, reportText } from "../../daemon/orders/report.ts";
import { settleWipes } from "../../daemon/wipe/settle-wipes.ts";
import { wipeAnswers } from "../../daemon/wipe/wipe-answers.ts";
import { type MayNotWipe, type WipeRule, wiper } from "../../daemon/wipe/wiper.ts";
import { listCard } from "../../drivers/bodycam/card.ts";
import { parseVerifier, verifierText } from "../../storage/ledger/note.ts";
import { rowsOf } from "./medium.ts";
import { CAMERA, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

const BOOT = "11111111-2222-3333-4444-555555555555";
type Record = Params<"docks.wipe">["record"];

const entry = z.object({
  order: z.string(),
  outcome: z.string(),
  removed: z.array(z.string()),
  kept: z.array(z.object({ segment: z.string(), why: z.string() })),
  untold: z.array(z.string()),
});

/** The ledger's entries of wiped cards, in order. */
export async function wiped(rig: Rig): Promise<readonly z.output<typeof entry>[]> {
  const rows = await rowsOf(rig, "select body from entry where kind = 'card.wiped' order by seq");
  return rows.map((row) => entry.parse(JSON.parse(String(row["body"]))));
}

/** As the helper writes it of the rig's card. */
export const RECORD: Record = {
  bootId: BOOT,
  slot: "0000:00:14.0/2.3",
  name: "sdb1",
  device: "8:17",
  volume: { kind: "vfat", serial: "1A2B-3C4D" },
  readOnly: false,
  number: CAMERA,
  mountedAt: "/run/bewaard/media/sdb1",
};

export interface WipeOptions {
  readonly rule?: WipeRule;
  readonly mayNot?: MayNotWipe;
  /** Where a helper of the test's own looks and reports. */
  readonly folders?: { readonly orders: string; readonly reports: string };
  /** Of this start of the machine. */
  readonly bootId?: () => string;
}

/** Core's half of wiping on the rig's card, and a helper that does what it is told. */
export interface Wiping {
  /** Asks for the card as it is now. */
  ask(change?: Partial<Params<"docks.wipe">>): Promise<Result<"docks.wipe">>;
  report(nonce: string | null): Promise<Result<"docks.report">>;
  /** What core has signed and nobody has taken up yet. */
  orders(): Promise<readonly WipeOrder[]>;
  /** Carries out every order, as root would, and reports `change` of it; with an outcome in that it does nothing. */
  help(change?: Partial<Report>): Promise<void>;
  /** One turn of the loop. */
  settle(): Promise<void>;
  /** Names of the files on the card. */
  card(): Promise<readonly string[]>;
  readonly reports: string;
  readonly ordersFolder: string;
}

/** What of a rig wiping needs; a process of its own has no more. */
export type WipedBox = Pick<Rig, "folder" | "clock" | "events" | "database" | "key"> & {
  readonly box: Pick<Rig["box"], "node">;
};

export async function openWiping(rig: WipedBox, options: WipeOptions = {}): Promise<Wiping> {
  const ordersFolder = options.folders?.orders ?? join(rig.folder, "orders");
  const reports = options.folders?.reports ?? join(rig.folder, "reports");
  const card = join(rig.folder, "card");
  await mkdir(reports, { recursive: true, mode: 0o755 });
  const { database, events, key } = rig;
  const bootId = options.bootId ?? (() => BOOT);
  const clock = { ...rig.clock, bootId };
  const rule = options.rule ?? { after: "vault", how: "unlink" };
  const outstanding = { any: true };
  const desk = { node: rig.box.node, key, folder: ordersFolder };
  const mayNot = options.mayNot ?? (async () => undefined);
  const ruleOf = async (device: string) => (device === CAMERA ? rule : undefined);
  const ask = wiper(clock, events, database, desk, ruleOf, mayNot, outstanding);
  const answers = wipeAnswers(database, ask);
  const verifier = parseVerifier(verifierText(key));
  const docking = ulid(clock.now());
  const unwatched = () => undefined;

  async function orders(): Promise<readonly WipeOrder[]> {
    const names = await readdir(ordersFolder).catch(() => []);
    const read = names.map(async (name) =>
      readOrder(verifier, await readFile(join(ordersFolder, name), "utf8")),
    );
    return (await Promise.all(read)).filter((order) => order.verb === "wipe");
  }

  return {
    reports,
    ordersFolder,
    orders,
    ask: async (change = {}) => {
      const files = (await listCard(card))?.files ?? [];
      const question = {
        docking,
        record: RECORD,
        others: 0,
        files: files.map(({ path, bytes, modifiedAt }) => ({
          path: path.toString("base64"),
          bytes,
          modifiedAtMs: modifiedAt,
        })),
      };
      return answers["docks.wipe"]({ ...question, ...change }, unwatched);
    },
    report: (nonce) => answers["docks.report"]({ nonce: nonce ?? "" }, unwatched),
    async help(change = {}) {
      for (const order of await orders()) {
        const came =
          change.outcome === undefined
            ? await carryOut(card, order)
            : { removed: [], kept: [], left: null };
        const at = isoOf(clock.now());
        const done = { bewaard: "report/1", verb: "wipe", startedAt: at, endedAt: at } as const;
        const { nonce } = order;
        const said: Report = { ...done, nonce, outcome: "done", why: null, ...came, ...change };
        await writeFile(reportPath(reports, nonce), reportText(said), { mode: 0o644 });
        await rm(join(ordersFolder, `${nonce}.order`));
      }
    },
    async settle() {
      const turn = turns(rig.clock, 1);
      const folders = { orders: ordersFolder, folder: reports, owner: process.getuid?.() ?? 0 };
      const turned = { ...turn.clock, bootId };
      await settleWipes(turned, events, database, folders, outstanding, turn.signal);
    },
    async card() {
      return ((await listCard(card))?.files ?? []).map(({ path }) => path.toString());
    },
  };
}

async function carryOut(card: string, order: WipeOrder) {
  const removed: number[] = [];
  const kept: KeptFile[] = [];
  for (const [index, { path, sha256 }] of order.files.entries()) {
    const file = join(card, Buffer.from(path, "base64").toString());
    const content = await readFile(file).catch(() => undefined);
    if (content === undefined) kept.push({ index, why: "gone" });
    else if (createHash("sha256").update(content).digest("hex") !== sha256)
      kept.push({ index, why: "changed" });
    else {
      await rm(file);
      removed.push(index);
    }
  }
  return { removed, kept, left: (await listCard(card))?.files.length ?? 0 };
}

/** Records a file, which then has the time of change on the card that its manifest says. */
export async function recorded(rig: Rig, content: string, name: string): Promise<SegmentId> {
  const id = await rig.record(content, name);
  await touch(rig, name);
  return id;
}

/** As `recorded`, then adopts it and copies it to the vault. */
export async function stored(rig: Rig, content: string, name: string): Promise<SegmentId> {
  const now = rig.clock.now() / 1000;
  const id = await rig.keep(content, name);
  await utimes(join(rig.folder, "card", name), now, now);
  return id;
}

async function touch(rig: Rig, name: string): Promise<void> {
  const now = rig.clock.now() / 1000;
  await utimes(join(rig.folder, "card", name), now, now);
}

/** Writes other bytes of the same length and time of change over a file: a card that goes bad. */
export async function spoil(rig: Rig, name: string): Promise<void> {
  const path = join(rig.folder, "card", name);
  const { mtime, size } = await stat(path);
  await writeFile(path, Buffer.alloc(size, "x"));
  await utimes(path, mtime, mtime);
}
