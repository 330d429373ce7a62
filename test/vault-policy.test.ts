import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { DAY_MS } from "#base/time";
import { lifecycleOf } from "../daemon/vault-policy/lifecycle.ts";
import {
  DIALECTS,
  type Statement,
  VAULT_ROLES,
  type VaultNames,
} from "../daemon/vault-policy/names.ts";
import { bucketPolicy, userPolicy, vaultSetup } from "../daemon/vault-policy/policies.ts";
import { GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const BEWAARD = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));

const LOCKED: VaultNames = {
  bucket: "gem-voorbeeld-beelden",
  level: "locked",
  dialect: "aws",
  nodes: ["dock-1", "dock-2"],
  account: "123456789012",
  users: "bewaard",
  termMs: 28 * DAY_MS,
  separateCopy: false,
};
const PLAIN: VaultNames = { ...LOCKED, level: "plain" };
const EVERY = DIALECTS.flatMap((dialect) => [LOCKED, PLAIN].map((one) => ({ ...one, dialect })));

const actionsOf = (all: readonly Statement[]) => all.flatMap(({ Action }) => Action);
const denials = (names: VaultNames) =>
  bucketPolicy(names).Statement.filter(({ Effect }) => Effect === "Deny");

describe("the policies of the vault", () => {
  it("let a box destroy, unlock, free and reset nothing, in any dialect and level (R-01)", () => {
    for (const names of EVERY) {
      const { Statement } = userPolicy(names, "box", "dock-1");
      const held = Statement.filter(({ Action }) => Action.includes("s3:PutObjectLegalHold"));
      const others = actionsOf(Statement.filter((one) => !held.includes(one)));
      for (const action of others) assert.doesNotMatch(action, /Delete|Bypass|Acl|\*|PutBucket/);
      assert.ok(!others.includes("s3:PutLifecycleConfiguration"));
      // Where ON cannot be told from OFF, the box has no right to either.
      assert.equal(held.length, names.level === "locked" && names.dialect === "aws" ? 1 : 0);
      for (const { Condition } of held) {
        assert.deepEqual(Condition, { StringEquals: { "s3:object-lock-legal-hold": "ON" } });
      }
    }
  });

  it("let a box write and list under its own prefixes only", () => {
    for (const names of EVERY) {
      for (const { Action, Resource, Condition } of userPolicy(names, "box", "dock-1").Statement) {
        const named = JSON.stringify([Resource, Condition]);
        if (Action.includes("s3:PutObject")) assert.doesNotMatch(named, /desk|dock-2/);
        if (Action.includes("s3:ListBucketVersions")) assert.match(named, /"footage\/dock-1\/\*"/);
        assert.doesNotMatch(named, /dock-2|footage\/\*/);
      }
    }
  });

  it("have a destroyer in a plain bucket, of one box's footage and for nothing else", () => {
    const { Statement } = userPolicy(PLAIN, "destroyer", "dock-2");
    assert.deepEqual(actionsOf(Statement), ["s3:DeleteObjectVersion"]);
    assert.deepEqual(Statement[0]?.Resource, [
      "arn:aws:s3:::gem-voorbeeld-beelden/footage/dock-2/*",
    ]);
    assert.throws(() => userPolicy(LOCKED, "destroyer", "dock-2"), { code: "USAGE" });
    assert.ok(!("bewaard-destroyer-dock-1" in vaultSetup(LOCKED).users));
  });

  it("forbid everybody what must never be, also who has other rights", () => {
    const names = denials(LOCKED).map(({ Sid }) => Sid);
    for (const sid of ["TlsOnly", "WriteOnce", "LockNoLongerThanTerm", "NoCompliance"]) {
      assert.ok(names.includes(sid), sid);
    }
    assert.ok(names.includes("NoEventHold"));
    const longest = denials({ ...LOCKED, termMs: 10 * DAY_MS }).find(
      ({ Sid }) => Sid === "LockNoLongerThanTerm",
    );
    assert.match(JSON.stringify(longest?.Condition), /"10"/);
  });

  it("on Ceph refuse by name what it would let who stored an object do, and name no key it does not know", () => {
    const ceph = { ...LOCKED, dialect: "ceph" as const, account: undefined };
    const refused = actionsOf(denials(ceph));
    for (const action of [
      "PutObjectRetention",
      "PutObjectLegalHold",
      "BypassGovernanceRetention",
    ]) {
      assert.ok(refused.includes(`s3:${action}`), action);
    }
    const text = JSON.stringify(bucketPolicy(ceph));
    assert.doesNotMatch(text, /object-lock-|if-none-match|SecureTransport|Encryption|PrincipalArn/);
    // Several values behind a "not equals" hold for everyone there.
    assert.doesNotMatch(text, /NotEquals/);
  });

  it("fit in what AWS takes of a bucket's policy, with five boxes", () => {
    const nodes = Array.from({ length: 5 }, (_, index) => `gemeentehuis-${index}`);
    for (const names of EVERY) {
      const { Statement } = bucketPolicy({ ...names, nodes });
      assert.ok(JSON.stringify(Statement).length < 20_000);
      const sids = Statement.map(({ Sid }) => Sid);
      assert.equal(new Set(sids).size, sids.length);
      for (const sid of sids) assert.match(sid, /^[A-Za-z0-9]+$/);
    }
  });

  it("name every role's user, with its box where it has one", () => {
    assert.deepEqual(Object.keys(vaultSetup(PLAIN).users), [
      "bewaard-box-dock-1",
      "bewaard-box-dock-2",
      "bewaard-destroyer-dock-1",
      "bewaard-destroyer-dock-2",
      "bewaard-custodian",
      "bewaard-break-glass",
    ]);
    assert.equal(VAULT_ROLES.length, 4);
  });
});

describe("bewaard vault policy", () => {
  const S3 = { provider: "aws", region: "eu-central-1", bucket: "gem-voorbeeld-beelden" };
  const policy = (path: string, ...args: string[]) =>
    spawnSync(process.execPath, [BEWAARD, "--config", path, "vault", "policy", ...args], {
      encoding: "utf8",
    });

  it("prints what this site's bucket takes, as it is pasted, by the names in its configuration", async () => {
    await using folder = await temporaryFolder();
    const vault = { s3: { ...S3, owner: "123456789012", level: "locked" } };
    const path = await writtenIn(folder.path, { ...GOOD_BOX, vault });
    const names = { ...LOCKED, nodes: ["dock-1"] };
    const printed = (...args: string[]): unknown => JSON.parse(policy(path, ...args).stdout);
    assert.deepEqual(printed("--for", "bucket"), bucketPolicy(names));
    assert.deepEqual(printed("--for", "box"), userPolicy(names, "box", "dock-1"));
    assert.deepEqual(printed("--for", "lifecycle"), lifecycleOf(names));
    assert.deepEqual(
      printed("--dialect", "ceph", "--node", "dock-1", "dock-2"),
      vaultSetup({ ...names, dialect: "ceph", nodes: ["dock-1", "dock-2"] }),
    );
  });

  it("prints a long stop only where a medium is configured, though policy asks for one (AR-20)", async () => {
    await using folder = await temporaryFolder();
    const vault = { s3: { ...S3, level: "plain" } };
    const secured = { directory: "/media/veilig", medium: "usb-schijf", serial: "WD-123" };
    const printed = async (box: object): Promise<unknown> =>
      JSON.parse(policy(await writtenIn(folder.path, box), "--for", "lifecycle").stdout);
    const box = { ...GOOD_BOX, vault };
    assert.equal(box.policy, "arnhem");
    assert.deepEqual(await printed(box), lifecycleOf(PLAIN));
    assert.deepEqual(
      await printed({ ...box, secured }),
      lifecycleOf({ ...PLAIN, separateCopy: true }),
    );
  });

  it("says so where there is nothing to print", async () => {
    await using folder = await temporaryFolder();
    const directory = await writtenIn(folder.path, GOOD_BOX);
    const { status, stderr } = policy(directory);
    assert.equal(status, 2);
    assert.match(stderr, /^USAGE: [^]*de kluis is een map/);
  });
});

describe("what the bucket destroys by itself", () => {
  const daysOf = (names: VaultNames, prefix: string) =>
    lifecycleOf(names)
      .Rules.filter(({ Filter }) => Filter.Prefix === prefix)
      .flatMap(({ Expiration }) => (Expiration && "Days" in Expiration ? [Expiration.Days] : []));

  it("lies under footage/, backup/ and desk/seen/, never in the ledger or what the desk decided", () => {
    for (const names of EVERY) {
      for (const { Filter } of lifecycleOf({ ...names, separateCopy: true }).Rules) {
        assert.match(Filter.Prefix, /^(?:footage|backup|desk\/seen)\/$/);
      }
    }
  });

  it("is all footage after a day in a locked bucket: its lock keeps it until then", () => {
    assert.deepEqual(daysOf(LOCKED, "footage/"), [1]);
  });

  it("is no footage in a plain bucket that may be the only place of what is held (AR-20)", () => {
    assert.deepEqual(daysOf(PLAIN, "footage/"), []);
    assert.deepEqual(daysOf({ ...PLAIN, separateCopy: true }, "footage/"), [28]);
  });

  it("is every backup within the term, counting the days a rule takes", () => {
    assert.deepEqual(daysOf(LOCKED, "backup/"), [24]);
    assert.deepEqual(daysOf({ ...LOCKED, termMs: 2 * DAY_MS }, "backup/"), [1]);
  });

  it("is also what was left unfinished, and markers that hide nothing", () => {
    for (const names of EVERY) {
      const tidied = lifecycleOf(names).Rules.filter((one) => one.AbortIncompleteMultipartUpload);
      assert.deepEqual(
        tidied.map(({ Filter }) => Filter.Prefix),
        ["footage/", "backup/", "desk/seen/"],
      );
    }
  });
});
