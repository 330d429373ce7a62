import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import type { SegmentId } from "#base/ids";
import { DAY_MS } from "#base/time";
import { checkpoint } from "../daemon/checkpoint.ts";
import { checkByHand, procedureIn } from "../daemon/demo/proof-scene.ts";
import { checkProofFolder, writeProofFolder } from "../daemon/proof-folder.ts";
import { timestamp } from "../daemon/timestamp.ts";
import { confirmTime } from "../daemon/trust.ts";
import { append } from "../storage/ledger/append.ts";
import { eraseDetails } from "../storage/ledger/details.ts";
import {
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  type VerifierKey,
  verifierText,
} from "../storage/ledger/note.ts";
import { type About, proofFolder } from "../storage/ledger/proof-folder.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, named, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { makeAuthority, serveAuthority } from "./peers/timestamp-authority.ts";

const verifierOf = (rig: Rig): VerifierKey => parseVerifier(verifierText(rig.key));

/** Signs and publishes what is in the ledger now. */
async function sign(rig: Rig): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

async function destroyDue(rig: Rig): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  rig.clock.move(28 * DAY_MS);
  await retainOnce(rig);
}

/** The proof of `about` in a new folder of the rig, as `bewaarctl log prove` writes it. */
async function proved(rig: Rig, about: About, authority?: string): Promise<string> {
  const { files } = await proofFolder(rig.database, verifierOf(rig), about);
  const pem =
    authority === undefined ? [] : [{ name: "authority.pem", content: await readFile(authority) }];
  const folder = join(rig.folder, "proof");
  await rm(folder, { recursive: true, force: true });
  await writeProofFolder(
    folder,
    [...files, ...pem].map(({ name, content }) => ({
      name,
      content: Buffer.from(content).toString("base64"),
    })),
  );
  return folder;
}

interface Life {
  readonly rig: Rig;
  /** What proves the one segment; never changed by a test. */
  readonly folder: string;
  readonly other: SegmentId;
  readonly key: VerifierKey;
}

/** Two segments' whole lives, published and timestamped, and the folder that proves one of them. */
async function wholeLife(rig: Rig): Promise<Life> {
  const authority = await makeAuthority(join(rig.folder, "authority"));
  const id = await rig.keep("beeld");
  await sign(rig);
  const other = await rig.keep("ander beeld", named(10));
  await destroyDue(rig);
  await sign(rig);
  await using server = await serveAuthority(join(rig.folder, "authority"));
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, askHistory } = rig;
  const asked = { url: server.url, authority, patienceMs: 20_000 };
  await timestamp(clock, events, database, vault, box.node, asked, askHistory, signal);
  await sign(rig);
  const folder = await proved(rig, { segment: id }, authority);
  return { rig, folder, other, key: verifierOf(rig) };
}

async function copied({ rig, folder }: Life): Promise<string> {
  const copy = join(rig.folder, "copy");
  await rm(copy, { recursive: true, force: true });
  await cp(folder, copy, { recursive: true });
  return copy;
}

async function unproven(folder: string, key: VerifierKey): Promise<readonly string[]> {
  const pem = join(folder, "authority.pem");
  const authority = existsSync(pem) ? pem : undefined;
  const claims = await checkProofFolder(folder, key, authority, NEVER);
  return claims.filter(({ proven }) => !proven).map(({ file }) => file);
}

/** One byte in the middle of `name` another. */
async function alter(folder: string, name: string): Promise<void> {
  const bytes = await readFile(join(folder, name));
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(folder, name), bytes);
}

describe("the proof of a segment", function () {
  this.timeout(120_000);
  let made: Promise<Life> | undefined;
  // One life for all: what the tests change is a copy.
  const life = (): Promise<Life> => (made ??= openRig().then(wholeLife));
  after(async () => (await made)?.rig[Symbol.asyncDispose]());

  it("is proven by the commands of docs/ledger.md, with python3 and openssl alone, and by log verify", async () => {
    const { folder, key } = await life();
    assert.deepEqual(await unproven(folder, key), []);
    const { proven, shown } = await checkByHand(await copied(await life()));
    assert.ok(proven, shown);
    for (const said of [
      /proven: node\.pem is the key/,
      /Signature Verified Successfully/,
      /proven: \d+-segment\.sealed is an entry/,
      /proven: \d+-segments\.stored\.0\.row is a row/,
      /proven: \d+-segments\.destroyed\.0\.row is a row/,
      /proven: the ledger of \d+ entries grew out of/,
      /Time stamp: .* GMT/,
      /"left": 0/,
    ])
      assert.match(shown, said);
  });

  it("is proven no more with one byte of any of its files another", async () => {
    const { folder, key } = await life();
    const unsigned = ["ledger.md", "LEESMIJ-README.txt", "authority.pem"];
    const names = (await readdir(folder)).filter((name) => !unsigned.includes(name));
    assert.ok(names.length >= 18, names.join());
    for (const name of names) {
      const copy = await copied(await life());
      await alter(copy, name);
      assert.notDeepEqual(await unproven(copy, key), [], name);
    }
  });

  for (const kind of [
    /segment\.sealed\.entry$/,
    /segments\.destroyed\.\d+\.row$/,
    /^checkpoint$/,
    /^older\.consistency$/,
    /^timestamped\.tsr$/,
  ]) {
    it(`fails by hand, too, with one byte of ${kind.source} another`, async () => {
      const copy = await copied(await life());
      const name = (await readdir(copy)).find((one) => kind.test(one)) ?? "";
      await alter(copy, name);
      const { proven, shown } = await checkByHand(copy);
      assert.ok(!proven, `${name}: ${shown}`);
    });
  }

  it("is proven under no other key than the one known from elsewhere", async () => {
    const { rig, folder } = await life();
    const other = parseNodeKey(rig.key.name, newNodeKeyPem());
    const failed = await unproven(folder, parseVerifier(verifierText(other)));
    assert.ok(failed.includes("checkpoint") && failed.includes("node.pem"), failed.join());
    const copy = await copied(await life());
    await writeFile(join(copy, "node.vkey"), `${verifierText(other)}\n`);
    assert.equal((await checkByHand(copy)).proven, false);
  });

  it("claims nothing for a proof whose entry was taken out of the folder", async () => {
    const { key } = await life();
    const copy = await copied(await life());
    const entry = (await readdir(copy)).find((name) => name.endsWith("sealed.entry")) ?? "";
    await rm(join(copy, entry));
    assert.deepEqual(await unproven(copy, key), [entry]);
  });

  it("proves no entry or row under the name of another", async () => {
    const { key } = await life();
    const copy = await copied(await life());
    for (const name of await readdir(copy)) {
      if (/segments\.destroyed\./.test(name)) await rm(join(copy, name));
    }
    for (const name of await readdir(copy)) {
      const lie = name.replace("segments.stored.", "segments.destroyed.");
      if (lie !== name) await rename(join(copy, name), join(copy, lie));
    }
    const failed = await unproven(copy, key);
    assert.deepEqual(
      failed.map((name) => name.replace(/^\d+-/, "")),
      ["segments.destroyed.0.row", "segments.destroyed.entry"],
    );
    assert.equal((await checkByHand(copy)).proven, false);
  });

  it("lets no name pass for a verdict, on a terminal either", async () => {
    const { key } = await life();
    const copy = await copied(await life());
    await writeFile(join(copy, "9\r\nbewezen - proven: 9-x.entry"), "{}");
    assert.equal((await unproven(copy, key)).length, 1);
    const { proven, shown } = await checkByHand(copy);
    assert.equal(proven, false);
    assert.doesNotMatch(shown, /9-x\.entry/);
  });

  it("runs nothing that lies in the folder, and writes through no link in it", async () => {
    const { rig, key } = await life();
    const copy = await copied(await life());
    const outside = join(rig.folder, "outside");
    await writeFile(join(copy, "base64.py"), `open(${JSON.stringify(outside)}, "w")`);
    assert.ok((await checkByHand(copy)).proven);
    for (const name of ["base64.py", "signed"]) await rm(join(copy, name));
    await symlink(outside, join(copy, "signed"));
    assert.equal((await checkByHand(copy)).proven, false);
    await assert.rejects(unproven(copy, key), { code: "PROOF_INVALID" });
    assert.equal(existsSync(outside), false);
  });

  it("is not looked through when it has what no proof has: a pipe, or a huge file", async () => {
    const { key } = await life();
    const copy = await copied(await life());
    const odd = join(copy, "9-x.entry");
    execFileSync("mkfifo", [odd]);
    await assert.rejects(unproven(copy, key), { code: "PROOF_INVALID" });
    await rm(odd);
    await writeFile(odd, "");
    await truncate(odd, 17 * 1024 * 1024);
    await assert.rejects(unproven(copy, key), { code: "PROOF_INVALID" });
  });

  it("has its timestamp proven, or the lack of it said, when somebody asks for that", async () => {
    const { key } = await life();
    const copy = await copied(await life());
    await rm(join(copy, "timestamped.tsr"));
    assert.deepEqual(await unproven(copy, key), ["timestamped.tsr"]);
  });

  it("names no other segment, and no file name of the camera", async () => {
    const { folder, other } = await life();
    for (const name of await readdir(folder)) {
      const content = await readFile(join(folder, name), "latin1");
      assert.ok(!content.includes(other), name);
      assert.ok(!content.includes("100MEDIA"), name);
    }
  });

  it("waits for a published checkpoint, and says so", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const early = proofFolder(rig.database, verifierOf(rig), { segment: id });
    await assert.rejects(early, { code: "LEDGER_NOT_FOUND", transient: true });
    await sign(rig);
    await destroyDue(rig);
    const { files, waiting } = await proofFolder(rig.database, verifierOf(rig), { segment: id });
    assert.deepEqual(waiting, ["segments.destroying", "segments.destroyed"]);
    assert.ok(files.some(({ name }) => name.endsWith("segments.stored.tlog-proof")));
  });

  it("is not made for what the ledger does not know, nor into a folder that is there", async () => {
    await using rig = await openRig();
    await sign(rig);
    const none = proofFolder(rig.database, verifierOf(rig), { entry: 10_000 });
    await assert.rejects(none, { code: "LEDGER_NOT_FOUND", transient: false });
    await assert.rejects(writeProofFolder(rig.folder, []), { code: "PROOF_INVALID" });
    const nothing = checkProofFolder(join(rig.folder, "card"), verifierOf(rig), undefined, NEVER);
    await assert.rejects(nothing, { code: "PROOF_INVALID" });
  });
});

describe("personal detail that was erased (R-02)", () => {
  it("leaves the tree and every proof of its entry as they were", async () => {
    await using rig = await openRig();
    const erased = { facts: { by: "j.jansen" }, eraseAfterMs: rig.clock.now() + DAY_MS };
    const seq = await rig.database.transaction((sql) =>
      append(sql, rig.clock.now(), [{ kind: "clock.confirmed", facts: {}, detail: erased }]),
    );
    await sign(rig);
    const before = await proofFolder(rig.database, verifierOf(rig), { entry: seq });
    rig.clock.move(DAY_MS);
    assert.equal(await eraseDetails(rig.database, rig.clock.now()), 1);
    assert.deepEqual(await proofFolder(rig.database, verifierOf(rig), { entry: seq }), before);
    const folder = await proved(rig, { entry: seq });
    assert.deepEqual(await unproven(folder, verifierOf(rig)), []);
    assert.deepEqual(await rig.check(), []);
    assert.ok((await checkByHand(folder)).proven);
  });
});

describe("docs/ledger.md", () => {
  it("has its procedure in blocks that need a shell, python3 and openssl, and nothing of bewaard", async () => {
    const page = await readFile(new URL("../docs/ledger.md", import.meta.url), "utf8");
    const blocks = procedureIn(page);
    assert.equal(blocks.length, 9);
    for (const block of blocks) assert.doesNotMatch(block, /bewaard(ctl)? |node |npm |pip /);
  });
});
