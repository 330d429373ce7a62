import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { watchSteps } from "#base/step";
import { readRemembered } from "../daemon/helper/mounts.ts";
import { carryOutOrders } from "../daemon/helper/orders.ts";
import { beginOnce } from "../daemon/helper/used.ts";
import { signOrder, type WipeOrder } from "../daemon/orders/order.ts";
import { readReport } from "../daemon/orders/report.ts";
import { newNodeKeyPem, parseNodeKey } from "../storage/ledger/note.ts";
import { dockedRig, type HelperRig } from "./fakes/helper-rig.ts";
import { listed, setTimeOrder, wipeOrder } from "./fakes/orders.ts";

const owner = process.getuid?.() ?? 0;
const CONTENT = { "DCIM/a.mp4": "hello", "DCIM/b.mp4": "world", "odd.bin": "!" } as const;

/** A docked card with three files on it. */
async function filled(): Promise<HelperRig> {
  const rig = await dockedRig();
  for (const [path, content] of Object.entries(CONTENT)) await rig.put(path, content);
  return rig;
}

async function onCard(rig: HelperRig): Promise<Record<string, string>> {
  const entries = await readdir(rig.card, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  const found: Record<string, string> = {};
  for (const path of paths) found[path.slice(rig.card.length + 1)] = await readFile(path, "utf8");
  return found;
}

async function beginEarlier(rig: HelperRig, nonce: string): Promise<void> {
  const begun = await beginOnce(rig.clock, rig.places.used, nonce);
  assert.ok(!("noted" in begun));
  await begun.close();
  await begun[Symbol.asyncDispose]();
}

function all(): WipeOrder["files"] {
  return Object.entries(CONTENT).map(([path, content]) => listed(path, content));
}

async function leftOrders(rig: HelperRig): Promise<readonly string[]> {
  return readdir(join(rig.places.state, "orders"));
}

describe("a wipe order", () => {
  for (const how of ["unlink", "overwrite"] as const) {
    it(`(${how}) removes what is as it was listed, reports, and leaves the card read-only`, async () => {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 2), { how });
      await rig.leave(order);
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual(
        [report?.outcome, report?.why, report?.removed, report?.kept, report?.left],
        ["done", null, [0, 1], [], 1],
      );
      assert.deepEqual(await onCard(rig), { "odd.bin": "!" });
      assert.deepEqual(rig.mounts.asked, ["open", "rw", "read", "read", "settle", "ro", "open"]);
      assert.deepEqual(await readReport(rig.places.reports, order.nonce, owner), report);
      assert.deepEqual(await leftOrders(rig), []);
    });
  }

  it("(overwrite) writes zeros over the bytes before their name goes", async () => {
    await using rig = await filled();
    const order = rig.order(all().slice(0, 1), { how: "overwrite" });
    await rig.leave(order);
    const kept = join(rig.root, "kept");
    let bytes: Buffer | undefined;
    rig.mounts.before = async (what) => {
      // A second name would be refused: made once the file was opened and looked at.
      if (what === "settle") bytes = await readFile(kept);
    };
    watchSteps((name) => {
      if (name === "helper.noted") execFileSync("ln", [join(rig.card, "DCIM/a.mp4"), kept]);
    });
    try {
      await rig.carryOut(order.nonce);
    } finally {
      watchSteps(() => undefined);
    }
    assert.deepEqual(bytes, Buffer.alloc(5));
  });

  it("keeps what changed, is gone, or is no plain file, and says which is which", async () => {
    await using rig = await filled();
    const plain = ["grown", "shrunk", "other", "gone", "link", "hard", "fifo", "folder", "null"];
    // Only root makes a device.
    const files = owner === 0 ? [...plain, "device"] : plain;
    for (const name of files) await rig.put(`DCIM/${name}`, "hello");
    const order = rig.order(files.map((name) => listed(`DCIM/${name}`, "hello")));
    await rig.leave(order);
    const at = (name: string): string => join(rig.card, "DCIM", name);
    await writeFile(at("grown"), "hello!");
    await truncate(at("shrunk"), 4);
    await writeFile(at("other"), "hellO");
    for (const name of ["gone", "link", "fifo", "folder", "null"]) await rm(at(name));
    await symlink(at("a.mp4"), at("link"));
    await link(at("hard"), join(rig.root, "second"));
    execFileSync("mkfifo", [at("fifo")]);
    await mkdir(at("folder"));
    await symlink("/dev/null", at("null"));
    if (owner === 0) execFileSync("mknod", [`${at("device")}.made`, "c", "1", "3"]);
    if (owner === 0) await rename(`${at("device")}.made`, at("device"));
    const before = (await readdir(join(rig.card, "DCIM"))).toSorted();
    const report = await rig.carryOut(order.nonce);
    const whys = report?.kept.map(({ index, why }) => `${files[index]} ${why}`);
    assert.deepEqual(whys, [
      "grown changed",
      "shrunk changed",
      "other changed",
      "gone gone",
      "link not-a-file",
      "hard not-a-file",
      "fifo not-a-file",
      "folder not-a-file",
      "null not-a-file",
      ...(owner === 0 ? ["device not-a-file"] : []),
    ]);
    assert.deepEqual([report?.outcome, report?.removed], ["done", []]);
    assert.deepEqual((await readdir(join(rig.card, "DCIM"))).toSorted(), before);
  });

  it("never follows a folder that became a link, out of the card or in it", async () => {
    await using rig = await filled();
    const order = rig.order(all().slice(0, 2));
    await rig.leave(order);
    const outside = join(rig.root, "outside");
    await rename(join(rig.card, "DCIM"), outside);
    await symlink(outside, join(rig.card, "DCIM"));
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual(
      report?.kept.map(({ why }) => why),
      ["not-a-file", "not-a-file"],
    );
    assert.deepEqual((await readdir(outside)).toSorted(), ["a.mp4", "b.mp4"]);
  });

  it("keeps a file that changes while it is read: grown, or another of the same name", async () => {
    const changes: Record<string, (path: string) => Promise<void>> = {
      grown: (path) => writeFile(path, "hello and more"),
      rewritten: (path) => writeFile(path, "hello"),
      replaced: async (path) => {
        await rename(path, `${path}.old`);
        await writeFile(path, "other");
      },
      linked: async (path) => {
        await rename(path, `${path}.old`);
        await symlink(`${path}.old`, path);
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 1));
      await rig.leave(order);
      // It is open, and its size was right.
      rig.mounts.before = (asked) =>
        asked === "read" ? change(join(rig.card, "DCIM/a.mp4")) : undefined;
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual(report?.removed, [], what);
      assert.equal(report?.kept[0]?.why, "changed", what);
      assert.ok("DCIM/b.mp4" in (await onCard(rig)), what);
    }
  });

  it("keeps a file that changed after it was read, though its time or its length is as before", async () => {
    const changes: Record<string, (path: string) => Promise<void>> = {
      grown: (path) => appendFile(path, "!"),
      replaced: async (path) => {
        await rename(path, `${path}.old`);
        await writeFile(path, "other");
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 1));
      await rig.leave(order);
      const path = join(rig.card, "DCIM/a.mp4");
      const at = new Date(rig.clock.now());
      await utimes(path, at, at);
      rig.mounts.read = async function* (file) {
        yield* readRemembered(file);
        await change(path);
        await utimes(path, at, at);
      };
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.removed, report?.kept[0]?.why], [[], "changed"], what);
      assert.ok("DCIM/a.mp4" in (await onCard(rig)), what);
    }
  });

  it("(overwrite) keeps what came in the place of the file that was written over", async () => {
    await using rig = await filled();
    const order = rig.order(all().slice(0, 1), { how: "overwrite" });
    await rig.leave(order);
    const path = join(rig.card, "DCIM/a.mp4");
    watchSteps((name) => {
      if (name !== "helper.overwritten") return;
      renameSync(path, `${path}.old`);
      writeFileSync(path, "another");
    });
    try {
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.removed, report?.kept[0]?.why], [[], "not-removed"]);
    } finally {
      watchSteps(() => undefined);
    }
    assert.equal((await onCard(rig))["DCIM/a.mp4"], "another");
  });

  it("takes names as bytes: a line end, bytes that are no text, a dash, a percent sign", async () => {
    await using rig = await filled();
    const names = ["a\nb", "-rf", "%s%n", "a b"].map((name) => Buffer.from(name));
    names.push(Buffer.from([0x66, 0xff, 0xfe, 0x6f]));
    const files: WipeOrder["files"] = [];
    for (const name of names) {
      await rig.put(name, "hello");
      files.push(listed(name, "hello"));
    }
    const order = rig.order(files);
    await rig.leave(order);
    assert.deepEqual((await rig.carryOut(order.nonce))?.removed, [0, 1, 2, 3, 4]);
    assert.deepEqual(await onCard(rig), CONTENT);
  });

  it("reports nothing as removed that is not certainly on the card, and says so when it stays writable", async () => {
    for (const [fails, why, removed] of [
      ["rw", "not-writable", []],
      ["settle", "not-settled", []],
      ["ro", "not-read-only", [0]],
    ] as const) {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 1));
      await rig.leave(order);
      rig.mounts.before = (what) => {
        if (what === fails) throw new BewaardError("CARD_MOUNT", "pulled out");
      };
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.why, report?.removed], [why, removed]);
      assert.notEqual(report?.outcome, "done");
    }
  });
});

describe("a card that is pulled out", () => {
  it("(in the middle of a wipe) is not called emptied of anything", async () => {
    for (const moment of ["read", "settle", "ro"]) {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 2));
      await rig.leave(order);
      rig.mounts.before = async (what) => {
        if (what === moment) await rig.tree.unplug("1-2.3");
      };
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.outcome, report?.why], ["failed", "card-gone"], moment);
      assert.deepEqual([report?.removed, report?.kept.length], [[], 2], moment);
    }
  });

  it("(unreadable) keeps what cannot be read any more, or only from memory", async () => {
    const eio = Object.assign(new Error("EIO"), { code: "EIO" });
    for (const error of [eio, new BewaardError("CARD_MOUNT", "not forgotten")]) {
      await using rig = await filled();
      const order = rig.order(all().slice(0, 2));
      await rig.leave(order);
      rig.mounts.before = (asked) => {
        if (asked === "read") throw error;
      };
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual(
        report?.kept.map(({ why }) => why),
        ["unreadable", "unreadable"],
      );
      assert.deepEqual(await onCard(rig), CONTENT);
    }
  });
});

/** Says something else in what the helper wrote of the card when it was told of. */
async function changeRecord(rig: HelperRig, from: string, to: string): Promise<void> {
  const path = join(rig.places.cards, "sdb1.json");
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from));
  await writeFile(path, text.replace(from, to));
}

describe("an order that does not hold", () => {
  const stranger = parseNodeKey("bewaard/den-haag/dock-1", newNodeKeyPem());
  const cases: Record<string, (rig: HelperRig, order: WipeOrder) => Promise<void> | void> = {
    "not-signed: by another key": (rig, order) => rig.leave(order, signOrder(stranger, order)),
    "not-signed: changed by one byte": (rig, order) =>
      rig.leave(order, signOrder(rig.key, order).replace('"bytes":5', '"bytes":6')),
    "not-signed: for another node": (rig, order) => rig.leave({ ...order, node: "dock-2" }),
    "not-signed: under another name": (rig, order) =>
      rig.leave(order, signOrder(rig.key, { ...order, nonce: "f".repeat(32) })),
    "untrusted: its group may write it": async (rig, order) => {
      await rig.leave(order);
      await chmod(join(rig.places.state, "orders", `${order.nonce}.order`), 0o660);
    },
    "untrusted: a link": async (rig, order) => {
      await rig.leave(order);
      const path = join(rig.places.state, "orders", `${order.nonce}.order`);
      await rename(path, join(rig.root, "elsewhere"));
      await symlink(join(rig.root, "elsewhere"), path);
    },
    expired: async (rig, order) => {
      await rig.leave(order);
      rig.clock.at = order.expiresAt;
    },
    "not-yet": async (rig, order) => {
      await rig.leave(order);
      rig.clock.at = "2026-11-29T11:58:59.999Z";
    },
    "other-boot": (rig, order) => rig.leave({ ...order, bootId: "another boot" }),
    "other-slot": (rig, order) => rig.leave({ ...order, slot: "0000:00:14.0/2.4" }),
    "other-device": (rig, order) => rig.leave({ ...order, device: "8:99" }),
    "other-volume": (rig, order) => rig.leave({ ...order, volume: "0000-0000" }),
    "not-docked": async (rig, order) => {
      await rig.leave({ ...order, name: "sdx1" });
    },
    "not-docked: pulled out since it was told of": async (rig, order) => {
      await rig.leave(order);
      await rig.tree.unplug("1-2.3");
    },
    "other-volume: another card in the same reader": async (rig, order) => {
      await rig.leave(order);
      await writeFile(join(rig.places.dev, "sdb1"), Buffer.alloc(512));
    },
    "other-slot: put into another since it was told of": async (rig, order) => {
      await rig.leave(order);
      await rig.tree.unplug("1-2.3");
      await rig.plug("4", "sdb");
    },
    "other-device: numbered anew since it was told of": async (rig, order) => {
      await rig.leave(order);
      const folder = await realpath(join(rig.places.sys, "class/block/sdb1"));
      await writeFile(join(folder, "dev"), "8:99\n");
    },
    "other-slot: what was told of was another": async (rig, order) => {
      await rig.leave(order);
      await changeRecord(rig, '"slot":"0000:00:14.0/2.3"', '"slot":"0000:00:14.0/2.4"');
    },
    "other-device: what was told of was another": async (rig, order) => {
      await rig.leave(order);
      await changeRecord(rig, `"device":"${rig.device}"`, '"device":"8:99"');
    },
    "other-volume: what was told of was another": async (rig, order) => {
      await rig.leave(order);
      await changeRecord(rig, '"serial":"1A2B-3C4D"', '"serial":"0000-0000"');
    },
    "not-docked: told of before the machine was started again": async (rig, order) => {
      await rig.leave(order);
      await changeRecord(rig, rig.clock.boot, "another boot");
    },
    "not-docked: told of by a version that knew other things of a card": async (rig, order) => {
      await rig.leave(order);
      await changeRecord(rig, '"bytes":', '"weight":1,"bytes":');
    },
    "not-docked: something else is mounted there": async (rig, order) => {
      await rig.leave(order);
      await rename(rig.card, `${rig.card}.away`);
      await symlink(`${rig.card}.away`, rig.card);
    },
  };
  for (const [name, arrange] of Object.entries(cases)) {
    it(`(${name}) touches nothing, is reported once, and is taken away`, async () => {
      await using rig = await filled();
      const order = rig.order(all());
      await arrange(rig, order);
      const report = await rig.carryOut(order.nonce);
      assert.deepEqual([report?.outcome, report?.why], ["refused", name.split(":")[0]]);
      assert.deepEqual(await leftOrders(rig), []);
      assert.ok(!rig.mounts.asked.includes("rw"));
      const [card] = [`${rig.card}.away`, rig.card];
      const entries = await readdir(card, { recursive: true }).catch(() => readdir(rig.card));
      assert.ok(entries.includes("DCIM"));
    });
  }

  it("(read-only) is not tried on a card whose switch is on", async () => {
    await using rig = await filled();
    await changeRecord(rig, '"readOnly":false', '"readOnly":true');
    const order = rig.order(all());
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.why, "read-only");
    assert.deepEqual(await onCard(rig), CONTENT);
  });

  it("(used before) does nothing, whether its report is still there or not", async () => {
    await using rig = await filled();
    const order = rig.order(all().slice(0, 1));
    await rig.leave(order);
    await rig.carryOut(order.nonce);
    for (const restarted of [false, true]) {
      if (restarted) await rm(join(rig.places.reports, `${order.nonce}.json`));
      await rig.put("DCIM/a.mp4", "hello");
      await rig.leave(order);
      rig.mounts.asked.length = 0;
      assert.equal(await rig.carryOut(order.nonce), undefined);
      assert.deepEqual(await onCard(rig), CONTENT);
      assert.deepEqual([rig.mounts.asked, await leftOrders(rig)], [[], []]);
    }
  });
});

describe("several orders", () => {
  it("are never taken up by two helpers at once, and none is called cut off that is at work (invariant 1)", async () => {
    await using rig = await filled();
    const order = rig.order(all());
    await rig.leave(order);
    const told: string[] = [];
    const start = (who: string): Promise<void> =>
      carryOutOrders(rig.clock, rig.mounts, rig.places, (_, report) =>
        told.push(`${who} ${report?.outcome} ${report?.removed.length}`),
      );
    let second: Promise<void> | undefined;
    rig.mounts.before = (what) => {
      if (what === "read") second ??= start("second");
    };
    await start("first");
    await second;
    assert.deepEqual(told, ["first done 3"]);
    assert.equal(rig.mounts.asked.filter((what) => what === "ro").length, 1);
  });

  it("for one card are carried out in turn, also one that comes meanwhile; what is no order stays", async () => {
    await using rig = await filled();
    const orders = ["1", "2", "3"].map((digit, index) =>
      rig.order(all().slice(index, index + 1), { nonce: digit.repeat(32) }),
    );
    const [first, second, third] = orders;
    assert.ok(first && second && third);
    await rig.leave(first);
    await rig.leave(second);
    await writeFile(join(rig.places.state, "orders", "note.txt"), "");
    rig.mounts.before = async (what) => {
      if (what === "settle") await rig.leave(third);
    };
    const told: string[] = [];
    await carryOutOrders(rig.clock, rig.mounts, rig.places, (nonce, report) =>
      told.push(`${nonce[0]} ${report?.outcome}`),
    );
    assert.deepEqual(told.toSorted(), ["1 done", "2 done", "3 done"]);
    const modes = rig.mounts.asked.filter((what) => what === "rw" || what === "ro");
    assert.deepEqual(modes, ["rw", "ro", "rw", "ro", "rw", "ro"]);
    assert.deepEqual(await onCard(rig), {});
    assert.deepEqual(await leftOrders(rig), ["note.txt"]);
  });
});

describe("orders that were begun", () => {
  it("are forgotten 28 days later, and never while this start of the machine could still obey them", async () => {
    await using rig = await dockedRig();
    const day = 24 * 60 * 60 * 1000;
    const daysAgo = { "1": 27, "2": 29, "3": 50 };
    for (const [digit, days] of Object.entries(daysAgo)) {
      const path = join(rig.places.used, digit.repeat(32));
      await writeFile(path, "");
      const at = new Date(rig.clock.now() - days * day);
      await utimes(path, at, at);
    }
    const left = async (uptimeMs: number): Promise<string> => {
      const clock = { ...rig.clock, uptimeMs: () => uptimeMs };
      await carryOutOrders(clock, rig.mounts, rig.places, () => undefined);
      const names = (await readdir(rig.places.used)).toSorted();
      return names.map((name) => name.slice(0, 1)).join("");
    };
    assert.equal(await left(40 * day), "12");
    assert.equal(await left(day), "1");
  });

  it("(in this start) are not begun again when the clock goes a month forward and back", async () => {
    await using rig = await filled();
    const order = rig.order(all().slice(0, 1));
    await rig.leave(order);
    await rig.carryOut(order.nonce);
    const { at } = rig.clock;
    await utimes(join(rig.places.used, order.nonce), new Date(at), new Date(at));
    rig.clock.at = "2027-02-01T12:00:00.000Z";
    await carryOutOrders(rig.clock, rig.mounts, rig.places, () => undefined);
    rig.clock.at = at;
    await rig.put("DCIM/a.mp4", "hello");
    await rig.leave(order);
    assert.equal(await rig.carryOut(order.nonce), undefined);
    assert.deepEqual(await onCard(rig), CONTENT);
  });

  it("(cut off) take no half of a note on a full disk for a part of the next", async () => {
    await using rig = await dockedRig();
    const nonce = "1".repeat(32);
    const begun = await beginOnce(rig.clock, rig.places.used, nonce);
    assert.ok("note" in begun);
    await begun.note(7);
    await appendFile(join(rig.places.used, nonce), "\n1");
    await begun.note(3);
    await begun[Symbol.asyncDispose]();
    assert.deepEqual(await beginOnce(rig.clock, rig.places.used, nonce), {
      noted: [7, 3],
      closed: false,
    });
  });

  it("(cut off) are called done in nothing when the card is pulled out while it is looked at", async () => {
    await using rig = await filled();
    const order = rig.order(all());
    await rig.leave(order);
    const begun = await beginOnce(rig.clock, rig.places.used, order.nonce);
    assert.ok("note" in begun);
    await begun.note(0);
    await begun[Symbol.asyncDispose]();
    rig.mounts.before = async (what) => {
      // Names on a card that has gone look gone, without an error.
      if (what !== "ro") return;
      await rig.tree.unplug("1-2.3");
      await rm(join(rig.card, "DCIM/a.mp4"));
    };
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual(
      [report?.why, report?.removed, report?.left, report?.kept.map(({ why }) => why)],
      ["interrupted", [], null, ["unreadable", "unreadable", "unreadable"]],
    );
  });
});

describe("a set-time order", () => {
  const path = (text: string): string => Buffer.from(text).toString("base64");

  it("writes the moment into its one file, and nothing else, on a card that is read-only again", async () => {
    await using rig = await filled();
    const order = setTimeOrder({ device: rig.device });
    await rig.leave(order);
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual([report?.verb, report?.outcome, report?.left], ["set-time", "done", 4]);
    const text = "2026-11-29 13:01:00\r\n";
    assert.deepEqual(await onCard(rig), { ...CONTENT, "time.txt": text });
    assert.deepEqual(rig.mounts.asked, ["open", "rw", "settle", "ro"]);
  });

  it("replaces a plain file whole, and nothing that is none", async () => {
    await using rig = await filled();
    await rig.put("time.txt", "before");
    const order = setTimeOrder({ device: rig.device, template: "{year}" });
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.outcome, "done");
    assert.equal((await onCard(rig))["time.txt"], "2026");
    await symlink(join(rig.root, "node.vkey"), join(rig.card, "link"));
    for (const [nonce, at, why] of [
      ["1", "link", "not-a-file"],
      ["2", "DCIM", "not-a-file"],
      ["3", "nowhere/time.txt", "no-folder"],
      ["4", "odd.bin/time.txt", "no-folder"],
    ] as const) {
      const other = { ...order, nonce: nonce.repeat(32), path: path(at) };
      await rig.leave(other);
      const report = await rig.carryOut(other.nonce);
      assert.deepEqual([report?.outcome, report?.why], ["failed", why], at);
    }
    assert.deepEqual(await onCard(rig), { ...CONTENT, "time.txt": "2026" });
  });

  it("replaces the one file of that name in other capitals, in a folder of such a name: to FAT it is the same", async () => {
    await using rig = await filled();
    await rig.put("Misc/Time.TXT", "before");
    const order = setTimeOrder({
      device: rig.device,
      path: path("MISC/time.txt"),
      template: "{year}",
    });
    await rig.leave(order);
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual([report?.outcome, report?.why], ["done", null]);
    assert.deepEqual(await onCard(rig), { ...CONTENT, "Misc/Time.TXT": "2026" });
    await rig.put("Misc/TIME.txt", "another");
    for (const [nonce, at, outcome] of [
      ["1", "MISC/time.txt", "not-a-file"],
      ["2", "Misc/TIME.txt", null],
    ] as const) {
      const other = { ...order, nonce: nonce.repeat(32), path: path(at) };
      await rig.leave(other);
      assert.equal((await rig.carryOut(other.nonce))?.why, outcome);
    }
    const both = { "Misc/Time.TXT": "2026", "Misc/TIME.txt": "2026" };
    assert.deepEqual(await onCard(rig), { ...CONTENT, ...both });
  });

  it("never replaces a longer file, or what is none, for its name in other capitals (invariant 1)", async () => {
    await using rig = await filled();
    await rig.put("TIME.TXT", "x".repeat(4097));
    await mkdir(join(rig.card, "DIR.TXT"));
    for (const [nonce, at] of [
      ["1", "time.txt"],
      ["2", "dir.txt"],
    ] as const) {
      const order = setTimeOrder({ device: rig.device, nonce: nonce.repeat(32), path: path(at) });
      await rig.leave(order);
      assert.equal((await rig.carryOut(order.nonce))?.why, "not-a-file");
    }
    assert.deepEqual((await onCard(rig))["TIME.TXT"], "x".repeat(4097));
  });

  it("never replaces what is longer than a file that sets a clock: it may be footage (invariant 1)", async () => {
    await using rig = await filled();
    const recording = "x".repeat(4097);
    await rig.put("time.txt", recording);
    const order = setTimeOrder({ device: rig.device });
    await rig.leave(order);
    const report = await rig.carryOut(order.nonce);
    assert.deepEqual([report?.outcome, report?.why], ["failed", "not-a-file"]);
    assert.deepEqual(await onCard(rig), { ...CONTENT, "time.txt": recording });
  });

  it("neither writes over nor removes what has the name that it writes under (invariant 1)", async () => {
    await using rig = await filled();
    const order = setTimeOrder({ device: rig.device });
    await rig.put(`${order.nonce}.tmp`, "footage");
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.why, "not-written");
    assert.deepEqual(await onCard(rig), { ...CONTENT, [`${order.nonce}.tmp`]: "footage" });
  });

  it("clears away what its own earlier orders left unfinished there, and nothing that is not theirs (invariant 1)", async () => {
    await using rig = await filled();
    const [own, long, strange] = ["1", "2", "3"].map((digit) => digit.repeat(32));
    for (const nonce of [own, long]) await beginEarlier(rig, nonce ?? "");
    await rig.put(`${own}.tmp`, "2026");
    const kept = {
      [`${long}.tmp`]: "x".repeat(4097),
      [`${strange}.tmp`]: "another box's",
      [`DCIM/${own}.tmp`]: "footage",
      [`${own}.tmp.mp4`]: "footage",
    };
    for (const [name, content] of Object.entries(kept)) await rig.put(name, content);
    const order = setTimeOrder({ device: rig.device, template: "{year}" });
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.outcome, "done");
    assert.deepEqual(await onCard(rig), { ...CONTENT, ...kept, "time.txt": "2026" });
  });

  it("leaves nothing of its own where it cannot give the file its name", async () => {
    await using rig = await filled();
    const order = setTimeOrder({ device: rig.device });
    await rig.leave(order);
    watchSteps((name) => {
      if (name === "helper.time-written") mkdirSync(join(rig.card, "time.txt"));
    });
    try {
      assert.equal((await rig.carryOut(order.nonce))?.why, "not-written");
    } finally {
      watchSteps(() => undefined);
    }
    assert.deepEqual(await onCard(rig), CONTENT);
  });

  it("is refused in a zone that nobody knows", async () => {
    await using rig = await filled();
    const order = setTimeOrder({ device: rig.device, zone: "Europe/Atlantis" });
    await rig.leave(order);
    assert.equal((await rig.carryOut(order.nonce))?.why, "unknown-zone");
    assert.ok(!rig.mounts.asked.includes("rw"));
  });

  it("is refused when another verb's order is presented as it", async () => {
    await using rig = await filled();
    const order = wipeOrder({ device: rig.device });
    const note = signOrder(rig.key, order).replace('"verb":"wipe"', '"verb":"set-time"');
    await rig.leave(order, note);
    assert.equal((await rig.carryOut(order.nonce))?.why, "not-signed");
  });
});
