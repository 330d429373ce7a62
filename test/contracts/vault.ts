import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import { bytesBody } from "../../storage/vault/body.ts";
import { FREELY, type Vault } from "../../storage/vault/vault.ts";
import { NEVER } from "../fakes/rig.ts";

/** One implementation, opened empty, with what only its own test can do to it. */
export interface VaultUnderTest extends AsyncDisposable {
  readonly vault: Vault;
  /** Adds a version behind the vault's back, as a stolen credential could. */
  overwrite(key: string, content: Uint8Array): Promise<void>;
  /** Leaves a write of `key` unfinished. */
  breakOff(key: string): Promise<void>;
}

const KEY = "footage/dock-1/bc-0101/2026/06/01/100000Z-01J00000000000000000000001.age";

async function put(vault: Vault, key: string, content: Uint8Array, held = false): Promise<string> {
  const keeping = { facts: { id: "x", started: "2026" }, held, lockedUntil: undefined };
  return vault.put(key, bytesBody(content), keeping, NEVER);
}

async function read(vault: Vault, key: string, versionId: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(vault.read(key, versionId, NEVER)));
}

/** What every vault promises (storage/vault/vault.ts). Run for each implementation, against the real thing. */
export function vaultContract(name: string, open: () => Promise<VaultUnderTest>): void {
  describe(`vault contract: ${name}`, () => {
    it("gives back the bytes and facts that were put, by version", async () => {
      await using under = await open();
      const content = randomBytes(3_000_000);
      const version = await put(under.vault, KEY, content);
      assert.deepEqual(await read(under.vault, KEY, version), content);
      assert.deepEqual(await under.vault.facts(KEY, version), { id: "x", started: "2026" });
      assert.deepEqual(await under.vault.versions(KEY), [
        { key: KEY, versionId: version, bytes: content.length },
      ]);
    });

    it("gives any range of the bytes, and fewer only past their end", async () => {
      await using under = await open();
      const content = randomBytes(2_000_003);
      const version = await put(under.vault, KEY, content);
      for (const [from, to] of [
        [0, 1],
        [0, content.length],
        [1_048_575, 1_048_577],
        [content.length - 1, content.length + 10],
        [content.length, content.length + 1],
        [7, 7],
      ] as const) {
        const pieces = await Array.fromAsync(under.vault.read(KEY, version, NEVER, { from, to }));
        assert.deepEqual(Buffer.concat(pieces), content.subarray(from, to), `${from} to ${to}`);
      }
    });

    it("keeps an object of no bytes", async () => {
      await using under = await open();
      const version = await put(under.vault, KEY, new Uint8Array(0));
      assert.equal((await read(under.vault, KEY, version)).length, 0);
    });

    it("puts once: the same bytes again are the same version", async () => {
      await using under = await open();
      const first = await put(under.vault, KEY, Buffer.from("beeld"));
      assert.equal(await put(under.vault, KEY, Buffer.from("beeld")), first);
      assert.equal((await under.vault.versions(KEY)).length, 1);
    });

    it("puts once: other bytes are refused and the first stay", async () => {
      await using under = await open();
      const first = await put(under.vault, KEY, Buffer.from("beeld"));
      await assert.rejects(put(under.vault, KEY, Buffer.from("ander")), { code: "VAULT_CONFLICT" });
      assert.equal((await read(under.vault, KEY, first)).toString(), "beeld");
    });

    it("lets one of eight writers of different bytes win", async () => {
      await using under = await open();
      const contents = Array.from({ length: 8 }, (_, index) => Buffer.from(`desk ${index}`));
      const tries = await Promise.allSettled(
        contents.map((content) => put(under.vault, "desk/entry/1", content)),
      );
      const winners = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      assert.equal(winners.length, 1);
      assert.equal((await under.vault.versions("desk/entry/1")).length, 1);
    });

    it("stores nothing when the bytes are not the ones that were promised", async () => {
      await using under = await open();
      const promised = bytesBody(Buffer.from("beeld"));
      const body = { ...bytesBody(Buffer.from("bEeld")), parts: promised.parts };
      await assert.rejects(under.vault.put(KEY, body, FREELY, NEVER), { code: "VAULT_CORRUPT" });
      assert.deepEqual(await under.vault.versions(KEY), []);
      assert.deepEqual(await under.vault.unfinished("footage/"), []);
    });

    it("stores nothing when the source breaks off", async () => {
      await using under = await open();
      const body = {
        ...bytesBody(Buffer.from("beeld")),
        async *open() {
          yield Buffer.from("be");
          throw new Error("unplugged");
        },
      };
      await assert.rejects(under.vault.put(KEY, body, FREELY, NEVER), /unplugged/);
      assert.deepEqual(await under.vault.versions(KEY), []);
    });

    it("says what is not there", async () => {
      await using under = await open();
      assert.deepEqual(await under.vault.versions(KEY), []);
      const missing = { code: "VAULT_NOT_FOUND" };
      await assert.rejects(read(under.vault, KEY, "01J00000000000000000000009"), missing);
      await assert.rejects(under.vault.isHeld(KEY, "01J00000000000000000000009"), missing);
      const noHold = under.vault.level === "plain" ? { code: "VAULT_NO_HOLDS" } : missing;
      await assert.rejects(under.vault.setHold(KEY, "01J00000000000000000000009", true), noHold);
      assert.deepEqual(await under.vault.traces(KEY), { versions: 0, markers: 0, unfinished: 0 });
    });

    it("refuses to destroy a held version, and destroys it once released; or says that it cannot hold", async () => {
      await using under = await open();
      const version = await put(under.vault, KEY, Buffer.from("beeld"));
      if (under.vault.level === "plain") {
        await assert.rejects(under.vault.setHold(KEY, version, true), { code: "VAULT_NO_HOLDS" });
        assert.equal(await under.vault.isHeld(KEY, version), false);
        return;
      }
      await under.vault.setHold(KEY, version, true);
      assert.equal(await under.vault.isHeld(KEY, version), true);
      await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_HELD" });
      assert.equal((await read(under.vault, KEY, version)).toString(), "beeld");
      await under.vault.setHold(KEY, version, false);
      await under.vault.destroy(KEY, version);
      assert.deepEqual(await under.vault.versions(KEY), []);
    });

    it("holds from the first moment when asked to and able, also when the bytes were there already", async () => {
      await using under = await open();
      const able = under.vault.level !== "plain";
      const version = await put(under.vault, KEY, Buffer.from("beeld"), true);
      assert.equal(await under.vault.isHeld(KEY, version), able);
      await put(under.vault, "footage/dock-1/b", Buffer.from("b"));
      const again = await put(under.vault, "footage/dock-1/b", Buffer.from("b"), true);
      assert.equal(await under.vault.isHeld("footage/dock-1/b", again), able);
    });

    it("never destroys a version whose hold was confirmed while it was being destroyed (invariant 4)", async () => {
      await using under = await open();
      for (let round = 0; round < 40; round += 1) {
        const key = `footage/dock-1/race-${round}`;
        const version = await put(under.vault, key, Buffer.from(`beeld ${round}`));
        const [held] = await Promise.allSettled([
          under.vault.setHold(key, version, true),
          under.vault.destroy(key, version),
        ]);
        const left = await under.vault.versions(key);
        if (held.status === "fulfilled")
          assert.equal(left.length, 1, `round ${round}: held and gone`);
      }
    });

    it("destroys every version, also one that somebody wrote over the first", async () => {
      await using under = await open();
      const first = await put(under.vault, KEY, Buffer.from("beeld"));
      await under.overwrite(KEY, Buffer.from("junk"));
      const versions = await under.vault.versions(KEY);
      assert.equal(versions.length, 2);
      assert.equal(versions[0]?.versionId, first);
      assert.equal((await under.vault.traces(KEY)).versions, 2);
      for (const { versionId } of versions) await under.vault.destroy(KEY, versionId);
      assert.deepEqual(await under.vault.traces(KEY), { versions: 0, markers: 0, unfinished: 0 });
    });

    it("destroys what is not there without complaint, and takes the key again afterwards", async () => {
      await using under = await open();
      const version = await put(under.vault, KEY, Buffer.from("beeld"));
      await under.vault.destroy(KEY, version);
      await under.vault.destroy(KEY, version);
      await put(under.vault, KEY, Buffer.from("nieuw"));
      assert.equal((await under.vault.versions(KEY)).length, 1);
    });

    it("lists every version under a prefix in order of key, and nothing beside it", async () => {
      await using under = await open();
      const keys = [
        // As keys go, not as names of folders do.
        "footage/dock-1/a-1/1",
        "footage/dock-1/a/1",
        "footage/dock-1/a/2",
        "footage/dock-1/b/1",
        "footage/dock-10/a/1",
      ];
      for (const key of keys.toReversed()) await put(under.vault, key, Buffer.from(key));
      const listed = await Array.fromAsync(under.vault.list("footage/dock-1/", NEVER));
      assert.deepEqual(
        listed.map(({ key }) => key),
        keys.slice(0, 4),
      );
      assert.deepEqual(await Array.fromAsync(under.vault.list("footage/nobody/", NEVER)), []);
      const behind = await Array.fromAsync(
        under.vault.list("footage/dock-1/", NEVER, "footage/dock-1/a/1"),
      );
      assert.deepEqual(
        behind.map(({ key }) => key),
        keys.slice(2, 4),
      );
    });

    it("shows an unfinished write and abandons it, leaving finished ones alone", async () => {
      await using under = await open();
      await put(under.vault, KEY, Buffer.from("beeld"));
      await under.breakOff("footage/dock-1/broken");
      assert.deepEqual(await under.vault.unfinished("footage/dock-1/"), ["footage/dock-1/broken"]);
      assert.equal((await under.vault.traces("footage/dock-1/broken")).unfinished, 1);
      await under.vault.abandon("footage/dock-1/broken");
      assert.deepEqual(await under.vault.unfinished("footage/dock-1/"), []);
      assert.equal((await under.vault.versions(KEY)).length, 1);
    });
  });
}
