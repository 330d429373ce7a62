import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { describe, it } from "mocha";
import { combine } from "shamir-secret-sharing";
import { parseHoldId, parseNodeId, parseSegmentId } from "#base/ids";
import { DAY_MS, instant, plus } from "#base/time";
import { readPolicy } from "../config/load.ts";
import type { Policy } from "../config/policy-schema.ts";
import { deskUnreadable } from "../daemon/alarms/desk-unreadable.ts";
import { CHAIN_START, chainAfter } from "../daemon/desk/chain.ts";
import { deskEntryText, joinSigned, linkOf, splitSigned } from "../daemon/desk/entry.ts";
import { holdFootage } from "../daemon/desk/hold.ts";
import { initDesk } from "../daemon/desk/init.ts";
import { openFootage } from "../daemon/desk/open.ts";
import { releaseHold } from "../daemon/desk/release.ts";
import { signWithSsh } from "../daemon/desk/ssh-signature.ts";
import { appendEntry, openStation, readChain, type Station } from "../daemon/desk/station.ts";
import { type Heeder, heeder } from "../daemon/heed.ts";
import { vaultFolder } from "../daemon/places.ts";
import { confirmTime } from "../daemon/trust.ts";
import { textBody } from "../storage/vault/body.ts";
import { deskKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site } from "./fakes/site.ts";

const NODE = parseNodeId("dock-1");
const ID = parseSegmentId("01J00000000000000000000001");

function request(policy: Policy, changes: object = {}) {
  return {
    incident: "2026-1",
    purpose: "aangifte",
    ground: policy.hold_grounds[0]?.name ?? "",
    reference: "PL1500-2026",
    reason: "bedreiging van een handhaver",
    reviewAt: plus(START, 60 * DAY_MS),
    segments: [{ node: NODE, id: ID }],
    ...changes,
  };
}

async function withDesk<T>(
  body: (station: Station, site: Site, policy: Policy) => Promise<T>,
): Promise<T> {
  await using site = await openSite(START, ["bc-0101"], 3);
  await using station = await openStation(site.demo.desk);
  return await body(station, site, await readPolicy("den-haag"));
}

/** A box of its own that reads the site's vault and obeys its desk. */
async function boxOf(site: Site, rig: Rig, demo: boolean) {
  const desk = {
    site: site.demo.config.site.name,
    demo,
    signersPath: site.demo.config.desk_signers,
    separate: false,
  };
  const vault = (await openStation(site.demo.desk)).vault;
  return heeder(rig.clock, rig.events, rig.database, vault, NODE, desk);
}

/** What core does each minute: the desk is read, and then alarms are looked for. */
async function heedAndLook(rig: Rig, heed: Heeder): Promise<boolean> {
  const heeded = await heed(rig.clock.now(), NEVER);
  await lookForAlarms(rig, [deskUnreadable(rig.clock, rig.events, rig.database, heed.unread)]);
  return heeded;
}

async function holds(rig: Rig) {
  return rig.database.transaction((sql) => sql.all("select * from hold"));
}

async function putRaw(station: Station, number: number, object: string): Promise<void> {
  await station.vault.put(deskKey(number), textBody(object), FREELY, NEVER);
}

describe("a hold at the desk (DH-08)", () => {
  it("needs an incident with a ground from policy, its reference, a reason and a review date", async () => {
    await withDesk(async (station, site, policy) => {
      const wrong = [
        { ground: "nieuwsgierigheid" },
        { purpose: "nieuwsgierigheid" },
        { ground: "vordering", reference: undefined },
        { reason: " " },
        { reviewAt: instant(START - 1) },
      ];
      for (const changes of wrong) {
        const asking = holdFootage(site.clock, station, policy, request(policy, changes), NEVER);
        await assert.rejects(asking, { code: "DESK_INPUT" }, JSON.stringify(changes));
      }
      assert.equal((await readChain(station, NEVER)).length, 1);
    });
  });

  it("on footage the vault does not have yet is asked for, not in force", async () => {
    await withDesk(async (station, site, policy) => {
      const { inForce, asked } = await holdFootage(
        site.clock,
        station,
        policy,
        request(policy),
        NEVER,
      );
      assert.deepEqual([inForce, asked], [[], [ID]]);
    });
  });

  it("keeps what people wrote sealed to the officers, and out of the chain", async () => {
    await withDesk(async (station, site, policy) => {
      await holdFootage(site.clock, station, policy, request(policy), NEVER);
      const root = vaultFolder(station.config.vault);
      const files = await readdir(root, { recursive: true, withFileTypes: true });
      const texts = files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), "latin1"));
      const everything = (await Promise.all(texts)).join("\n");
      assert.match(everything, /"incident":"2026-1"/);
      assert.doesNotMatch(everything, /bedreiging|PL1500/);
    });
  });
});

describe("a box that reads the desk", () => {
  it("holds what it is told to, and remembers how far it read", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site, policy) => {
      await holdFootage(site.clock, station, policy, request(policy), NEVER);
      const heed = await boxOf(site, rig, true);
      assert.equal(await heed(START, NEVER), true);
      assert.equal(await heed(START, NEVER), true);
      assert.equal((await holds(rig)).length, 1);
      assert.equal(rig.said.filter((event) => event === "hold-requested").length, 1);
    });
  });

  it("does not obey one person's release unless the site is a demo (invariant 12)", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site, policy) => {
      const { hold } = await holdFootage(site.clock, station, policy, request(policy), NEVER);
      await releaseHold(site.clock, station, hold, NEVER);
      await (await boxOf(site, rig, false))(START, NEVER);
      assert.equal((await holds(rig))[0]?.["released_at_ms"], null);
      assert.ok(rig.said.includes("release-refused"));
    });
  });

  it("obeys it on a demo site", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site, policy) => {
      const { hold } = await holdFootage(site.clock, station, policy, request(policy), NEVER);
      await releaseHold(site.clock, station, hold, NEVER);
      await (await boxOf(site, rig, true))(START, NEVER);
      assert.notEqual((await holds(rig))[0]?.["released_at_ms"], null);
    });
  });

  it("lifts in the vault what was released, where the desk was cut off before it could", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await using station = await openStation(site.demo.desk);
    const desk = {
      site: "demo-handhaving",
      demo: true,
      signersPath: site.demo.config.desk_signers,
      separate: false,
    };
    // The desk's chain comes from its own vault; the footage is in the rig's.
    const from = (key: string) => (key.startsWith("desk/") ? station.vault : rig.vault);
    const vault: Vault = {
      ...rig.vault,
      versions: (key) => from(key).versions(key),
      read: (key, versionId, signal) => from(key).read(key, versionId, signal),
    };
    const heed = heeder(rig.clock, rig.events, rig.database, vault, NODE, desk);
    const policy = await readPolicy("den-haag");
    const asked = request(policy, { segments: [{ node: NODE, id }] });
    const { hold } = await holdFootage(site.clock, station, policy, asked, NEVER);
    await heed(START, NEVER);
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    assert.ok(version && (await rig.vault.isHeld(version.key, version.versionId)));
    await appendEntry(site.clock, station, { kind: "release", hold }, NEVER);
    await heed(START, NEVER);
    assert.equal(await rig.vault.isHeld(version.key, version.versionId), false);
  });

  it("does not forget over a restart how long the desk has been silent", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site) => {
      await (await boxOf(site, rig, true))(START, NEVER);
      await rename(vaultFolder(station.config.vault), `${vaultFolder(station.config.vault)}-away`);
      await confirmTime(rig.clock, rig.database, START, "test");
      rig.clock.move(13 * DAY_MS);
      for (const _ of [13, 14]) {
        await heedAndLook(rig, await boxOf(site, rig, true));
        rig.clock.move(DAY_MS);
      }
      const told = rig.lines.filter((line) => line.includes("desk-unreadable"));
      assert.match(told[0] ?? "", /"level":"error"/);
      assert.match(told[1] ?? "", /"level":"alert"/);
    });
  });

  it("counts the days of its silence by uptime while time is not trusted, whatever the clock says (invariant 10)", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site) => {
      const heed = await boxOf(site, rig, true);
      await heed(START, NEVER);
      await confirmTime(rig.clock, rig.database, START, "test");
      await rename(vaultFolder(station.config.vault), `${vaultFolder(station.config.vault)}-away`);
      const told = async () => {
        await heedAndLook(rig, heed);
        const lines = rig.lines.filter((line) => line.includes("desk-unreadable"));
        return lines.map((line) => /"days":(\d+)/.exec(line)?.[1]);
      };
      assert.deepEqual(await told(), ["0"]);
      rig.clock.jump(400 * DAY_MS);
      assert.deepEqual(await told(), ["0"]);
      rig.clock.move(14 * DAY_MS);
      assert.deepEqual(await told(), ["0", "14"]);
      rig.clock.jump(-400 * DAY_MS);
      await told();
      rig.clock.move(7 * DAY_MS);
      assert.deepEqual((await told()).at(-1), "21");
      // Somebody vouches for a time by which it is longer.
      rig.clock.jump(5 * DAY_MS);
      await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
      assert.deepEqual((await told()).at(-1), "26");
    });
  });

  it("keeps what was held when the desk can no longer be read, and alarms on days 14, 21 and 26", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site, policy) => {
      await holdFootage(site.clock, station, policy, request(policy), NEVER);
      const heed = await boxOf(site, rig, true);
      await heed(START, NEVER);
      await rename(vaultFolder(station.config.vault), `${vaultFolder(station.config.vault)}-away`);
      for (let day = 0; day < 27; day += 1) {
        assert.equal(await heedAndLook(rig, heed), false);
        rig.clock.move(DAY_MS);
      }
      await heedAndLook(rig, heed);
      assert.equal(rig.said.filter((event) => event === "desk-unreadable").length, 4);
      await rename(`${vaultFolder(station.config.vault)}-away`, vaultFolder(station.config.vault));
      for (let minute = 0; minute < 10; minute += 1) await heedAndLook(rig, heed);
      assert.ok(!rig.said.includes("desk-unreadable-over"), "a look of a new watch each time");
      await lookForAlarms(
        rig,
        [deskUnreadable(rig.clock, rig.events, rig.database, heed.unread)],
        10,
      );
      assert.ok(rig.said.includes("desk-unreadable-over"));
      assert.equal((await holds(rig))[0]?.["released_at_ms"], null);
    });
  });
});

describe("a desk entry nobody should obey", () => {
  const forgeries: Readonly<
    Record<string, (station: Station, genuine: string) => Promise<string>>
  > = {
    "with one character changed": async (_, genuine) => genuine.replace('"2026-1"', '"2026-2"'),
    "signed by a key this site does not know": async (station, genuine) => {
      const key = join(station.folder, "other-key");
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
      const { text } = splitSigned(genuine);
      return joinSigned(text, await signWithSsh(key, text));
    },
    "in the name of somebody else": async (station, genuine) => {
      const text = splitSigned(genuine).text.replace('"by":"p-01"', '"by":"p-02"');
      return joinSigned(text, await signWithSsh(station.config.sign_key, text));
    },
    "of another site": async (station, genuine) => {
      const text = splitSigned(genuine).text.replace("demo-handhaving", "andere-stad");
      return joinSigned(text, await signWithSsh(station.config.sign_key, text));
    },
    "that does not follow the one before it": async (station, genuine) => {
      const { entry } = splitSigned(genuine);
      const text = deskEntryText({ ...entry, previous: "0".repeat(64) });
      return joinSigned(text, await signWithSsh(station.config.sign_key, text));
    },
    "with another number": async (station, genuine) => {
      const text = deskEntryText({ ...splitSigned(genuine).entry, number: 3 });
      return joinSigned(text, await signWithSsh(station.config.sign_key, text));
    },
    "that is not JSON": async () => "junk\n-----BEGIN SSH SIGNATURE-----",
    "that is empty": async () => "",
    "with a field nobody signed for": async (station, genuine) => {
      const text = splitSigned(genuine).text.replace("{", '{"also":1,');
      return joinSigned(text, await signWithSsh(station.config.sign_key, text));
    },
  };
  for (const [what, forge] of Object.entries(forgeries)) {
    it(`${what}: nothing after it is read, what is held stays held`, async () => {
      await using rig = await openRig();
      await withDesk(async (station, site, policy) => {
        // A genuine entry 2, made in a vault of its own, to be altered and put in its place.
        await holdFootage(site.clock, station, policy, request(policy), NEVER);
        const [version] = await station.vault.versions(deskKey(2));
        const bytes = await Array.fromAsync(
          station.vault.read(deskKey(2), version?.versionId ?? "", NEVER),
        );
        await station.vault.destroy(deskKey(2), version?.versionId ?? "");
        await putRaw(station, 2, await forge(station, Buffer.concat(bytes).toString()));
        const heed = await boxOf(site, rig, true);
        assert.equal(await heedAndLook(rig, heed), false);
        assert.deepEqual(await holds(rig), []);
        assert.ok(rig.said.includes("desk-unreadable"));
      });
    });
  }

  it("because the chain was rolled back and another put in its place", async () => {
    await using rig = await openRig();
    await withDesk(async (station, site, policy) => {
      const { hold } = await holdFootage(site.clock, station, policy, request(policy), NEVER);
      const heed = await boxOf(site, rig, true);
      assert.equal(await heed(START, NEVER), true);
      const [version] = await station.vault.versions(deskKey(2));
      await station.vault.destroy(deskKey(2), version?.versionId ?? "");
      await appendEntry(site.clock, station, { kind: "release", hold }, NEVER);
      assert.equal(await heed(START, NEVER), false);
      assert.equal((await holds(rig))[0]?.["released_at_ms"], null);
    });
  });
});

describe("two desks at once", () => {
  it("number their entries one after the other, whoever is quicker", async () => {
    await withDesk(async (station, site) => {
      const hold = (last: string) => parseHoldId(`01J0000000000000000000000${last}`);
      const appending = ["1", "2", "3"].map((last) =>
        appendEntry(site.clock, station, { kind: "release", hold: hold(last) }, NEVER),
      );
      assert.deepEqual(
        (await Promise.all(appending)).toSorted((a, b) => a - b),
        [2, 3, 4],
      );
      const chain = await Array.fromAsync(
        chainAfter(
          station.vault,
          "demo-handhaving",
          join(station.folder, "desk.signers"),
          CHAIN_START,
          NEVER,
        ),
      );
      assert.equal(chain.length, 4);
      assert.equal(chain.at(-1)?.head.link?.length, linkOf("").length);
    });
  });
});

describe("a site that is no demo (AR-21, invariant 12)", () => {
  async function realDesk(site: Site): Promise<Station> {
    const path = join(site.demo.desk, "desk.yaml");
    await writeFile(path, (await readFile(path, "utf8")).replace("demo: true", "demo: false"));
    return openStation(site.demo.desk);
  }

  it("refuses to release and to open with one person's key", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await using station = await realDesk(site);
    const forbidden = { code: "DESK_FORBIDDEN" };
    const hold = parseHoldId("01J00000000000000000000001");
    await assert.rejects(releaseHold(site.clock, station, hold, NEVER), forbidden);
    const target = { node: NODE, id: ID };
    const opening = openFootage(site.clock, station, target, "x", site.demo.officerKey, NEVER);
    await assert.rejects(Array.fromAsync(opening), forbidden);
  });

  it("opens for no purpose that the annex took out of the policy (AR-08)", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const annex = join(site.folder, "annex.yaml");
    const agreed = "{ reference: A-1, date: 2026-01-01, by: college }";
    const purposes = "purposes: [klacht]";
    await writeFile(annex, `tenant: huurder\nconsent: ${agreed}\nagreed: ${agreed}\n${purposes}\n`);
    const yaml = join(site.demo.desk, "desk.yaml");
    await appendFile(yaml, `annex: ${annex}\n`);
    await using station = await openStation(site.demo.desk);
    const target = { node: NODE, id: ID };
    const key = site.demo.officerKey;
    const opening = openFootage(site.clock, station, target, "evaluatie", key, NEVER);
    await assert.rejects(Array.fromAsync(opening), { code: "DESK_INPUT", message: /klacht$/ });
  });

  it("still takes a hold from one person", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await using station = await realDesk(site);
    const policy = await readPolicy("den-haag");
    const { asked } = await holdFootage(site.clock, station, policy, request(policy), NEVER);
    assert.deepEqual(asked, [ID]);
  });

  it("leaves nothing of a ceremony that failed, and takes a second one by the same signer", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await using desk = await openStation(site.demo.desk);
    const folder = join(site.folder, "next-desk");
    const from = plus(START, 3 * DAY_MS);
    const ceremony = { folder, config: desk.config, kind: "x25519", from, days: 2 } as const;
    const other = join(site.folder, "other-key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
    const stranger = { ...ceremony, config: { ...desk.config, sign_key: other } };
    await assert.rejects(
      initDesk(site.clock, stranger, () => undefined, NEVER),
      { code: "DESK_TAMPERED" },
    );
    await assert.rejects(readdir(folder), /ENOENT/);
    await initDesk(site.clock, ceremony, () => undefined, NEVER);
    assert.match(await readFile(join(folder, "recipients.txt"), "utf8"), /^2026-06-04 age1/);
    assert.equal((await readChain(desk, NEVER)).length, 2);
  });

  it("splits each day's identity: two officers have it together, one alone has nothing", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const keys = await Promise.all([officer(), officer(), officer()]);
    const desk = await openStation(site.demo.desk);
    const folder = join(site.folder, "real-desk");
    const vault = { directory: join(site.folder, "vault-2") };
    execFileSync("cp", ["-r", vaultFolder(desk.config.vault), vault.directory]);
    execFileSync("rm", ["-r", join(vault.directory, "desk")]);
    const config = {
      ...desk.config,
      demo: false,
      vault,
      officers: keys.map(({ recipient }) => recipient),
    };
    const ceremony = { folder, config, kind: "pq", from: START, days: 2 } as const;
    await initDesk(site.clock, ceremony, () => undefined, NEVER);
    const shares = await Promise.all(
      keys.map(({ identity }, index) => sharesOf(folder, index, identity)),
    );
    const together = new TextDecoder().decode(
      await combine([shares[0] ?? EMPTY, shares[2] ?? EMPTY]),
    );
    assert.match(together, /^AGE-SECRET-KEY-PQ-1/);
    await assert.rejects(combine([shares[0] ?? EMPTY]));
    assert.doesNotMatch((await readdir(folder)).join(), /identity/);
  });
});

const EMPTY = new Uint8Array(0);

async function officer(): Promise<{ identity: string; recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

async function sharesOf(folder: string, index: number, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const text = await decrypter.decrypt(
    await readFile(join(folder, `officer-${index + 1}.age`)),
    "text",
  );
  const [, share] = /"share":"([^"]+)"/.exec(text) ?? [];
  return Uint8Array.from(Buffer.from(share ?? "", "base64"));
}
