import assert from "node:assert/strict";
import { glob, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { parseDeviceId, parseNodeId, parseSegmentId } from "#base/ids";
import { instantOf } from "#base/time";
import { bytesBody } from "../storage/vault/body.ts";
import { createDirectoryVault, openDirectoryVault } from "../storage/vault/directory.ts";
import { footageKey, segmentOf } from "../storage/vault/keys.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { type VaultUnderTest, vaultContract } from "./contracts/vault.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

async function openUnderTest(): Promise<VaultUnderTest & { readonly root: string }> {
  const folder = await temporaryFolder();
  const root = join(folder.path, "vault");
  await createDirectoryVault(root);
  const addVersion = async (at: string, key: string, content: Uint8Array): Promise<void> => {
    await mkdir(at, { recursive: true });
    await writeFile(join(at, "facts.json"), JSON.stringify({ key, facts: {} }));
    await writeFile(join(at, "body"), content);
  };
  return {
    root,
    vault: await openDirectoryVault(root),
    overwrite: (key, content) => addVersion(join(root, `${key}~`, ulid()), key, content),
    breakOff: (key) =>
      addVersion(join(root, ".writing", `put-${ulid()}`, ulid()), key, Buffer.from("half")),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

vaultContract("directory", openUnderTest);

/** Bytes during whose writing the vault's disk goes away. */
async function* bytesOfLeaving(root: string, away: string): AsyncGenerator<Uint8Array> {
  await rename(root, away);
  yield Buffer.from("beeld");
}

describe("directory vault", () => {
  it("writes nothing into a mount point whose disk is not there", async () => {
    await using under = await openUnderTest();
    await rename(under.root, `${under.root}-unmounted`);
    await mkdir(under.root);
    const body = bytesBody(Buffer.from("beeld"));
    await assert.rejects(under.vault.put("footage/a", body, FREELY, NEVER), {
      code: "VAULT_IDENTITY",
      transient: true,
    });
    await rm(under.root, { recursive: true });
    await rename(`${under.root}-unmounted`, under.root);
    assert.notEqual(await under.vault.put("footage/a", body, FREELY, NEVER), "");
  });

  it("does not make itself anew when its disk goes away in the middle of a write", async () => {
    await using under = await openUnderTest();
    const away = `${under.root}-away`;
    const vault = await openDirectoryVault(under.root, () => rename(under.root, away));
    const gone = { code: "VAULT_UNAVAILABLE", transient: true };
    await assert.rejects(vault.put("footage/a", bytesBody(Buffer.from("a")), FREELY, NEVER), gone);
    await rename(away, under.root);
    const body = {
      ...bytesBody(Buffer.from("beeld")),
      open: () => bytesOfLeaving(under.root, away),
    };
    await assert.rejects(under.vault.put("footage/a", body, FREELY, NEVER), gone);
    // Fails when anything of the vault was made again in its place.
    await rename(away, under.root);
    assert.deepEqual(await under.vault.versions("footage/a"), []);
  });

  it("refuses to touch one that a newer bewaard has laid out, and reads one of before it had a version", async () => {
    await using under = await openUnderTest();
    const identity = join(under.root, "bewaard-vault.json");
    const known = await readFile(identity, "utf8");
    await writeFile(identity, known.replace('"version":1', '"version":2'));
    const body = bytesBody(Buffer.from("beeld"));
    const refused = { code: "VAULT_VERSION", transient: true };
    await assert.rejects(under.vault.put("footage/a", body, FREELY, NEVER), refused);
    await writeFile(identity, known.replace('"version":1,', ""));
    assert.notEqual(await under.vault.put("footage/a", body, FREELY, NEVER), "");
  });

  it("refuses a key that would lead out of it", async () => {
    await using under = await openUnderTest();
    for (const key of ["../x", "a/../b", "/etc/x", "a//b", "a~", "", "a/.writing"]) {
      await assert.rejects(under.vault.versions(key), /not a vault key/, key);
    }
  });

  it("is not disturbed by what file servers and desktops leave about", async () => {
    await using under = await openUnderTest();
    const key = "footage/dock-1/a";
    const version = await under.vault.put(key, bytesBody(Buffer.from("beeld")), FREELY, NEVER);
    for (const place of [".writing", "footage", "footage/dock-1", "footage/dock-1/a~"]) {
      await writeFile(join(under.root, place, ".DS_Store"), "junk");
      await mkdir(join(under.root, place, "@eaDir"));
      await writeFile(join(under.root, place, "@eaDir", "x"), "junk");
    }
    assert.equal((await Array.fromAsync(under.vault.list("footage/", NEVER))).length, 1);
    await under.vault.abandon(key);
    await under.vault.destroy(key, version);
    assert.deepEqual(await under.vault.versions(key), []);
  });

  it("finds again the bytes of a version whose destruction was cut off", async () => {
    await using under = await openUnderTest();
    const key = "footage/dock-1/a";
    const version = await under.vault.put(key, bytesBody(Buffer.from("beeld")), FREELY, NEVER);
    // A file server that refuses to remove the bytes, as far as a test can play one.
    const body = join(under.root, "footage/dock-1/a~", version, "body");
    await rename(body, `${body}-kept`);
    await mkdir(body);
    await assert.rejects(under.vault.destroy(key, version), { code: "VAULT_UNAVAILABLE" });
    assert.deepEqual(await under.vault.unfinished("footage/"), [key]);
    await assert.rejects(under.vault.abandon(key), { code: "VAULT_UNAVAILABLE" });
    const [stuck] = await Array.fromAsync(glob(join(under.root, ".writing/*/*/body")));
    await rmdir(stuck ?? "");
    await under.vault.abandon(key);
    assert.deepEqual(await under.vault.unfinished("footage/"), []);
  });

  it("puts a held version back when its destruction was cut off between move and check", async () => {
    await using under = await openUnderTest();
    const version = await under.vault.put(
      "footage/a",
      bytesBody(Buffer.from("beeld")),
      { ...FREELY, held: true },
      NEVER,
    );
    const leaving = join(under.root, ".writing", `leaving-${ulid()}`);
    await mkdir(leaving);
    await rename(join(under.root, "footage/a~", version), join(leaving, version));
    await under.vault.abandon("footage/a");
    assert.equal(await under.vault.isHeld("footage/a", version), true);
  });
});

describe("vault keys", () => {
  it("are final: footage/<node>/<device>/<yyyy>/<mm>/<dd>/<hhmmss>Z-<id>.age, in UTC", () => {
    const id = parseSegmentId("01J00000000000000000000001");
    const at = instantOf("2026-11-22T16:03:09.000Z");
    const key = footageKey(parseNodeId("dock-1"), parseDeviceId("bc-0101"), at, id);
    assert.equal(key, "footage/dock-1/bc-0101/2026/11/22/160309Z-01J00000000000000000000001.age");
    assert.equal(segmentOf(key), id);
    assert.equal(segmentOf("footage/dock-1/readme.txt"), undefined);
  });
});
