import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import type { ListedVersion, S3Calls } from "../storage/vault/s3-answers.ts";
import { keyListing, keysUnder } from "../storage/vault/s3-list.ts";
import { NEVER } from "./fakes/rig.ts";

const version = (key: string, versionId: string): ListedVersion => ({
  key,
  versionId,
  bytes: 1,
  etag: "",
  marker: false,
  latest: false,
  modifiedAt: instant(0),
});

const ALL = ["a/1", "a/2", "a/2.x", "a/3"].flatMap((key) =>
  ["c", "b", "a"].map((id) => version(key, `${key}${id}`)),
);

type Kind = "AWS" | "Ceph" | "Swift" | "stuck";

/** Listings as providers page them: AWS after a key's marker, Ceph at it, Swift without saying which version. */
function lister(kind: Kind): Pick<S3Calls, "listVersions"> {
  return {
    async listVersions(prefix, after, most) {
      const under = ALL.filter(({ key }) => key.startsWith(prefix));
      const from = kind === "stuck" ? 0 : under.findIndex((one) => isAfter(one, after, kind));
      const versions = from < 0 ? [] : under.slice(from, from + most);
      const last = versions.at(-1);
      if (!last || from + most >= under.length) return { versions, next: undefined };
      const versionId = kind === "Swift" ? "null" : last.versionId;
      return { versions, next: { key: last.key, versionId } };
    },
  };
}

function isAfter(
  { key, versionId }: ListedVersion,
  after: { key: string; versionId: string | undefined } | undefined,
  kind: Kind,
): boolean {
  if (!after) return true;
  if (after.versionId === undefined) return kind === "Ceph" ? key >= after.key : key > after.key;
  // Newest first: of one key, what was written before.
  return key > after.key || (kind !== "Swift" && key === after.key && versionId < after.versionId);
}

describe("listing of a bucket", () => {
  for (const kind of ["AWS", "Ceph", "Swift"] as const) {
    it(`loses no version however ${kind} pages (R-01)`, async () => {
      for (let most = 1; most < 14; most += 1) {
        const keys = await Array.fromAsync(keysUnder(lister(kind), "a/", NEVER, "", most));
        assert.deepEqual(
          keys.map(({ key, versions }) => `${key} ${versions.length}`),
          ["a/1 3", "a/2 3", "a/2.x 3", "a/3 3"],
          `${most} a page`,
        );
        const behind = await Array.fromAsync(keysUnder(lister(kind), "a/", NEVER, "a/2", most));
        assert.deepEqual(
          behind.map(({ key, versions }) => `${key} ${versions.length}`),
          ["a/2.x 3", "a/3 3"],
          `behind a/2, ${most} a page`,
        );
      }
    });
  }

  it("takes no longer key for the one that is asked for", async () => {
    assert.equal((await keyListing(lister("AWS"), "a/2", NEVER)).versions.length, 3);
    assert.equal((await keyListing(lister("AWS"), "a/2.", NEVER)).versions.length, 0);
  });

  it("gives up on one that always answers the same page", async () => {
    const endless = Array.fromAsync(keysUnder(lister("stuck"), "a/", NEVER, "", 2));
    await assert.rejects(endless, { code: "VAULT_UNAVAILABLE", transient: true });
  });
});
