import { after, before, describe } from "mocha";
import { bucketContract } from "../contracts/bucket.ts";
import { vaultContract } from "../contracts/vault.ts";
import { openBucket } from "../fakes/bucket.ts";
import { type Ceph, startCeph } from "./ceph.ts";

describe("Ceph", () => {
  let ceph: Ceph;
  before(async () => {
    ceph = await startCeph();
  });
  after(() => ceph[Symbol.asyncDispose]());
  for (const level of ["plain", "locked"] as const)
    vaultContract(level, () => openBucket(ceph, level));
  bucketContract((level) => openBucket(ceph, level));
});
