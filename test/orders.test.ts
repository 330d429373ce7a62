import assert from "node:assert/strict";
import { chmod, link, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { instant, isoOf } from "#base/time";
import { readTrusted } from "#base/trusted-file";
import { boundsFor } from "../daemon/ordering/order-desk.ts";
import {
  ORDER_BYTES,
  ORDER_FILES,
  ORDER_LIFE_MS,
  ORDER_PATH_BYTES,
  readOrder,
  signOrder,
} from "../daemon/orders/order.ts";
import { readPairedList, signPairedList } from "../daemon/orders/paired-list.ts";
import { readReport, reportPath, reportText } from "../daemon/orders/report.ts";
import { canonicalText, signedNote } from "../daemon/orders/signed.ts";
import { canonical } from "../storage/ledger/canonical.ts";
import {
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  verifierText,
} from "../storage/ledger/note.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { setTimeOrder, wipeOrder } from "./fakes/orders.ts";

const key = parseNodeKey("bewaard/den-haag/dock-1", newNodeKeyPem());
const verifier = parseVerifier(verifierText(key));
const me = process.getuid?.() ?? 0;
const REFUSED = { code: "ORDER_REFUSED" };

const report = {
  bewaard: "report/1",
  nonce: "0".repeat(32),
  verb: "wipe",
  startedAt: "2026-11-29T12:00:00.000Z",
  endedAt: "2026-11-29T12:00:01.000Z",
  outcome: "done",
  why: null,
  removed: [0],
  kept: [{ index: 1, why: "changed" }],
  left: 1,
} as const;

describe("orders to the root helper", () => {
  it("come back as they were signed, in the one form of the ledger's entries", () => {
    for (const order of [wipeOrder(), setTimeOrder()]) {
      assert.deepEqual(readOrder(verifier, signOrder(key, order)), order);
      assert.equal(canonicalText(order), canonical(order));
      assert.ok(signOrder(key, order).startsWith(`${canonical(order)}\n\n— ${key.name} `));
    }
  });

  it("live no longer than they may, however long the processor takes between two looks at the clock", () => {
    let looks = 0;
    const clock = { ...systemClock, now: () => instant(1_800_000_000_000 + looks++ * 1000) };
    const { issuedAt, expiresAt } = boundsFor(clock, ORDER_LIFE_MS);
    const times = { issuedAt: isoOf(issuedAt), expiresAt: isoOf(expiresAt) };
    assert.doesNotThrow(() => signOrder(key, { ...wipeOrder(), ...times }));
  });

  it("are never longer than the helper reads, of as many files with as long paths as core puts into one", () => {
    const sha256 = "0".repeat(64);
    const each = ORDER_PATH_BYTES / ORDER_FILES;
    const lengths = Array.from({ length: ORDER_FILES }, (_, index) => {
      return Math.floor((index + 1) * each) - Math.floor(index * each);
    });
    const files = lengths.map((length) => {
      const path = Buffer.alloc(length, "a").toString("base64");
      return { path, bytes: Number.MAX_SAFE_INTEGER, sha256 };
    });
    const note = signOrder(key, wipeOrder({ files, slot: `${"a".repeat(100)}/1` }));
    assert.ok(note.length > ORDER_BYTES / 2 && note.length <= ORDER_BYTES, String(note.length));
  });

  it("are refused when forged, of another key, or for another node", () => {
    const note = signOrder(key, wipeOrder());
    const stranger = parseNodeKey(key.name, newNodeKeyPem());
    for (const forged of [
      "",
      canonicalText(wipeOrder()),
      note.replace('"bytes":5', '"bytes":6'),
      note.replace(/\n\n.*/s, "\n"),
      signOrder(stranger, wipeOrder()),
      signOrder(key, wipeOrder({ node: "dock-2" })),
    ])
      assert.throws(() => readOrder(verifier, forged), REFUSED, forged);
  });

  it("are refused in another form, whoever signed them", () => {
    const path = (text: string): object => ({
      files: [{ path: Buffer.from(text).toString("base64"), bytes: 5, sha256: "0".repeat(64) }],
    });
    const wrong: readonly object[] = [
      { verb: "format" },
      { extra: 1 },
      { bewaard: "paired/1" },
      { name: "../sdb1" },
      { nonce: "x" },
      { files: [] },
      { expiresAt: "2026-11-29T12:10:00.001Z" },
      { expiresAt: "2026-11-29T12:00:00.000Z" },
      ...["", "/etc/passwd", "../a", "a/../b", "a//b", "a/", ".", "a\0b", "x/".repeat(20)].map(
        path,
      ),
    ];
    for (const change of wrong) {
      const note = signedNote(key, { ...wipeOrder(), ...change });
      assert.throws(() => readOrder(verifier, note), REFUSED, JSON.stringify(change));
    }
  });

  it("cannot stand in for the list of paired cameras, nor the reverse", () => {
    const list = {
      bewaard: "paired/1",
      node: "dock-1",
      at: report.startedAt,
      cameras: [
        { number: "bc-0101", vendor: "0b6a", product: "1234", serial: null, volume: "1A2B-3C4D" },
      ],
    } as const;
    const note = signPairedList(key, { ...list, cameras: [...list.cameras] });
    assert.deepEqual(readPairedList(verifier, note), list);
    assert.throws(() => readOrder(verifier, note), REFUSED);
    assert.throws(() => readPairedList(verifier, signOrder(key, wipeOrder())), REFUSED);
    const other = signedNote(key, { ...list, node: "dock-2" });
    assert.throws(() => readPairedList(verifier, other), REFUSED);
  });
});

describe("reports of the root helper", () => {
  it("are read only when their owner alone can have written them, and of their own order", async () => {
    await using folder = await temporaryFolder();
    const path = reportPath(folder.path, report.nonce);
    assert.equal(await readReport(folder.path, report.nonce, me), undefined);
    await writeFile(path, reportText({ ...report, removed: [0], kept: [...report.kept] }));
    assert.deepEqual(await readReport(folder.path, report.nonce, me), report);
    await assert.rejects(readReport(folder.path, report.nonce, me + 1), REFUSED);
    for (const mode of [0o664, 0o646]) {
      await chmod(path, mode);
      await assert.rejects(readReport(folder.path, report.nonce, me), REFUSED);
    }
    await chmod(path, 0o644);
    const other = "1".repeat(32);
    await rename(path, reportPath(folder.path, other));
    await assert.rejects(readReport(folder.path, other, me), REFUSED);
    await writeFile(reportPath(folder.path, other), "{");
    await assert.rejects(readReport(folder.path, other, me), REFUSED);
  });
});

describe("a file that only its owner can have written", () => {
  it("is no link, no hard link, no folder, and not too long", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "file");
    await writeFile(path, "whole", { mode: 0o600 });
    assert.equal(String(await readTrusted(path, [me], 5)), "whole");
    assert.equal(await readTrusted(path, [me], 4), "untrusted");
    assert.equal(await readTrusted(folder.path, [me], 10_000), "untrusted");
    assert.equal(await readTrusted(join(folder.path, "no"), [me], 5), "absent");
    await symlink(path, join(folder.path, "link"));
    assert.equal(await readTrusted(join(folder.path, "link"), [me], 5), "untrusted");
    await link(path, join(folder.path, "hard"));
    assert.equal(await readTrusted(path, [me], 5), "untrusted");
  });
});
