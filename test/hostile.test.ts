import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, parseNodeId, parsePersonId, parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, plus } from "#base/time";
import { deskUnreadable } from "../daemon/alarms/desk-unreadable.ts";
import {
  type DeskCommand,
  type DeskEntry,
  deskEntryText,
  joinSigned,
  linkOf,
  splitSigned,
} from "../daemon/desk/entry.ts";
import { signWithSsh } from "../daemon/desk/ssh-signature.ts";
import { appendEntry, openStation, readChain, type Station } from "../daemon/desk/station.ts";
import { deskReadTo, heeder } from "../daemon/heed.ts";
import { readText, textBody } from "../storage/vault/body.ts";
import { deskKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { hostileDesk } from "./fakes/hostile-desk.ts";
import { hostileIncoming } from "./fakes/hostile-incoming.ts";
import { NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site } from "./fakes/site.ts";

const NODE = parseNodeId("dock-1");
const OWNER = parsePersonId("p-01");
const HOLD = parseHoldId("01J00000000000000000000001");

function holding(changes: object = {}): DeskCommand {
  return {
    kind: "hold",
    hold: HOLD,
    incident: "2026-1",
    purpose: "aangifte",
    ground: "aangifte",
    owner: OWNER,
    reviewAt: plus(START, 60 * DAY_MS),
    segments: [{ node: NODE, id: parseSegmentId("01J00000000000000000000002") }],
    detail: "0".repeat(64),
    ...changes,
  };
}

interface Desk {
  readonly site: Site;
  readonly station: Station;
  readonly rig: Rig;
  /** Lets the box read the desk, `ms` after `START`, from the vault or from another one. */
  readonly heed: (ms?: number, vault?: Vault) => Promise<boolean>;
  readonly holds: () => Promise<readonly object[]>;
  /** Signs an entry that follows the chain's end but for `changes`, and puts it there. */
  readonly put: (number: number, changes: Partial<DeskEntry>) => Promise<void>;
  readonly object: (number: number) => Promise<string>;
}

async function withDesk(body: (desk: Desk) => Promise<void>): Promise<void> {
  await using site = await openSite(START, ["bc-0101"], 3);
  await using station = await openStation(site.demo.desk);
  await using rig = await openRig();
  const { name } = site.demo.config.site;
  const obeyed = {
    site: name,
    demo: true,
    signersPath: site.demo.config.desk_signers,
    separate: false,
  };
  const object = async (number: number): Promise<string> => {
    const [version] = await station.vault.versions(deskKey(number));
    return readText(station.vault, deskKey(number), version?.versionId ?? "", NEVER);
  };
  await body({
    site,
    station,
    rig,
    heed: async (ms = 0, vault = station.vault) => {
      const heed = heeder(rig.clock, rig.events, rig.database, vault, NODE, obeyed);
      const heeded = await heed(plus(START, ms), NEVER);
      // As the first look for alarms would tell it.
      const { look } = deskUnreadable(rig.clock, rig.events, rig.database, heed.unread);
      for (const { tell } of (await look(plus(START, ms), () => false, NEVER)) ?? []) tell();
      return heeded;
    },
    holds: () => rig.database.transaction((sql) => sql.all("select * from hold")),
    object,
    async put(number, changes) {
      const previous = linkOf(await object(number - 1));
      const text = deskEntryText({
        bewaard: "desk/1",
        site: name,
        number,
        previous,
        at: START,
        expiresAt: plus(START, HOUR_MS),
        nonce: "AAAAAAAAAAAAAAAAAAAAAA==",
        by: OWNER,
        command: holding(),
        ...changes,
      });
      await putObject(
        station,
        number,
        joinSigned(text, await signWithSsh(station.config.sign_key, text)),
      );
    },
  });
}

async function putObject(station: Station, number: number, object: string): Promise<void> {
  await station.vault.put(deskKey(number), textBody(object), FREELY, NEVER);
}

async function why(rig: Rig): Promise<string> {
  return rig.lines.findLast((line) => line.includes("desk-unreadable")) ?? "";
}

describe("a hostile world", function () {
  this.timeout(120_000);

  it("hands over manifests: none stops core, none touches what is kept", async () => {
    await hostileIncoming(50);
  });

  it("puts desk entries that nobody signed: none is obeyed", async () => {
    await hostileDesk(100);
  });
});

describe("a manifest", () => {
  it("with a field that comes twice is set apart: two readers would see two facts", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const path = join(rig.sealing.incoming, `${id}.json`);
    const text = await readFile(path, "utf8");
    await rm(path);
    await writeFile(path, text.replace("{", '{"device":"bc-0999",'));
    await rig.adoptOnce();
    assert.ok(rig.said.includes("quarantined"));
  });
});

describe("a desk entry with a good signature", function () {
  it("made for something else than the desk is not obeyed", async () => {
    await withDesk(async ({ station, rig, heed, holds, put, object }) => {
      await put(2, {});
      const { text } = splitSigned(await object(2));
      const args = ["-Y", "sign", "-n", "git", "-f", station.config.sign_key];
      const signature = execFileSync("ssh-keygen", args, {
        input: text,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
      });
      const [version] = await station.vault.versions(deskKey(2));
      await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      await putObject(station, 2, joinSigned(text, signature));
      assert.equal(await heed(), false);
      assert.match(await why(rig), /DESK_TAMPERED.*not signed/);
      assert.deepEqual(await holds(), []);
    });
  });

  it("put once more under a later number is not obeyed twice", async () => {
    await withDesk(async ({ station, rig, heed, holds, put, object }) => {
      await put(2, {});
      assert.equal(await heed(), true);
      await putObject(station, 3, await object(2));
      assert.equal(await heed(), false);
      assert.match(await why(rig), /DESK_TAMPERED.*does not follow/);
      assert.equal((await holds()).length, 1);
    });
  });

  it("of a hold on 10,001 segments, or longer than any hold, is not obeyed", async () => {
    await withDesk(async ({ station, rig, heed, holds, object }) => {
      const target = '{"id":"01J00000000000000000000002","node":"dock-1"}';
      for (const count of [10_001, 60_000]) {
        const text = deskEntryText({
          ...splitSigned(await object(1)).entry,
          number: 2,
          previous: linkOf(await object(1)),
          command: holding(),
        }).replace(/"segments":\[.*?\]/, `"segments":[${Array(count).fill(target).join(",")}]`);
        const signature = await signWithSsh(station.config.sign_key, text);
        await putObject(station, 2, joinSigned(text, signature));
        assert.equal(await heed(), false);
        const tampered = count > 20_000 ? /DESK_TAMPERED.* has \d+ bytes/ : /DESK_TAMPERED.*form/;
        assert.match(await why(rig), tampered);
        const [version] = await station.vault.versions(deskKey(2));
        await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      }
      assert.deepEqual(await holds(), []);
    });
  });

  it("and something behind the signature is not obeyed: its link would be another one", async () => {
    await withDesk(async ({ station, heed, put, object }) => {
      await put(2, {});
      const genuine = await object(2);
      const [version] = await station.vault.versions(deskKey(2));
      await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      await putObject(station, 2, `${genuine}more`);
      assert.equal(await heed(), false);
    });
  });

  it("with a nonce that was there before is obeyed: its place in the chain is what is unique", async () => {
    await withDesk(async ({ heed, holds, put }) => {
      await put(2, {});
      await put(3, { command: holding({ hold: parseHoldId("01J00000000000000000000003") }) });
      assert.equal(await heed(), true);
      assert.equal((await holds()).length, 2);
    });
  });
});

describe("a desk's chain", function () {
  it("with an entry taken out is noticed: the box obeys nothing after it, the desk adds nothing", async () => {
    await withDesk(async ({ site, station, rig, heed, holds, put }) => {
      await put(2, {});
      await put(3, { command: holding({ hold: parseHoldId("01J00000000000000000000003") }) });
      const [version] = await station.vault.versions(deskKey(2));
      await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      assert.equal(await heed(), false);
      assert.match(await why(rig), /DESK_CHAIN_BROKEN.*2 is missing/);
      assert.deepEqual(await holds(), []);
      const adding = appendEntry(site.clock, station, holding(), NEVER);
      await assert.rejects(adding, { code: "DESK_CHAIN_BROKEN" });
      await assert.rejects(readChain(station, NEVER), { code: "DESK_CHAIN_BROKEN" });
    });
  });

  it("obeys the first version of an entry, whatever was put over it later", async () => {
    await withDesk(async ({ station, heed, holds, put }) => {
      await put(2, {});
      const over: Vault = {
        ...station.vault,
        async versions(key) {
          const found = await station.vault.versions(key);
          return key === deskKey(2)
            ? [...found, { key, versionId: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", bytes: 1 }]
            : found;
        },
      };
      assert.equal(await heed(0, over), true);
      assert.equal((await holds()).length, 1);
    });
  });

  it("that forks after an entry the box has read is refused, and what was held stays held", async () => {
    await withDesk(async ({ station, rig, heed, holds, put }) => {
      await put(2, {});
      assert.equal(await heed(), true);
      const [version] = await station.vault.versions(deskKey(2));
      await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      await put(2, { command: { kind: "release", hold: HOLD } });
      assert.equal(await heed(), false);
      assert.match(await why(rig), /DESK_CHAIN_BROKEN/);
      assert.equal((await holds()).length, 1);
    });
  });
});

describe("an entry that was signed long before it was put", function () {
  const late = 3 * HOUR_MS;

  it("is obeyed when it is a hold: what is kept too much can be released", async () => {
    await withDesk(async ({ heed, holds, put }) => {
      for (const ms of [0, 1, late]) assert.equal(await heed(ms), true);
      await put(2, {});
      assert.equal(await heed(late + 1), true);
      assert.equal((await holds()).length, 1);
    });
  });

  it("is refused when it is a release, once the chain was read after it had expired", async () => {
    await withDesk(async ({ rig, heed, put }) => {
      await put(2, {});
      for (const ms of [0, 1, late]) assert.equal(await heed(ms), true);
      await put(3, { command: { kind: "release", hold: HOLD } });
      assert.equal(await heed(late + 1), true);
      assert.ok(rig.said.includes("release-refused"));
      assert.equal(await released(rig), 0);
      assert.equal((await deskReadTo(rig.database))?.number, 3);
    });
  });

  it("is obeyed as a release by a box that was away, and reads it late", async () => {
    await withDesk(async ({ rig, heed, put }) => {
      await put(2, {});
      for (const ms of [0, 1]) assert.equal(await heed(ms), true);
      await put(3, { command: { kind: "release", hold: HOLD } });
      assert.equal(await heed(20 * DAY_MS), true);
      assert.equal(await released(rig), 1);
    });
  });

  async function released(rig: Rig): Promise<number> {
    const rows = await rig.database.transaction((sql) =>
      sql.all("select * from hold where released_at_ms is not null"),
    );
    return rows.length;
  }
});
