import assert from "node:assert/strict";
import {
  CreateBucketCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, it } from "mocha";

import { temporaryFolder } from "../fakes/folder.ts";
import { asNobody } from "../fakes/nobody.ts";
import { type Ceph, startCeph } from "./ceph.ts";
import { clientOf } from "./ceph-client.ts";

const BUCKET = { Bucket: "beelden" };
const ONE = { ...BUCKET, Key: "footage/one" };

async function keepOne(ceph: Ceph): Promise<void> {
  const client = clientOf(ceph, ceph.credential);
  await client.send(new CreateBucketCommand(BUCKET));
  await client.send(new PutObjectCommand({ ...ONE, Body: "sealed" }));
}

async function readOne(ceph: Ceph, as = ceph.credential): Promise<string | undefined> {
  const { Body } = await clientOf(ceph, as).send(new GetObjectCommand(ONE));
  return Body?.transformToString();
}

describe("throw-away Ceph", () => {
  it("lies in one region, and has what it confirmed after its gateway was away", async () => {
    await using ceph = await startCeph();
    await keepOne(ceph);
    await ceph.stopGateway();
    await assert.rejects(readOne(ceph), { code: "ECONNREFUSED" });
    await ceph.startGateway();
    assert.equal(await readOne(ceph), "sealed");
    const asked = clientOf(ceph, ceph.credential).send(new GetBucketLocationCommand(BUCKET));
    assert.equal((await asked).LocationConstraint, ceph.region);
  });

  it("runs beside another, over TLS, on a disk, and without root", async () => {
    await using other = await startCeph();
    await keepOne(other);
    await using folder = await temporaryFolder();
    await asNobody(folder.path, async () => {
      await using ceph = await startCeph({ tls: true, store: "disk" });
      await keepOne(ceph);
      assert.equal(await readOne(ceph), "sealed");
    });
    assert.equal(await readOne(other), "sealed");
  });

  it("lets a user do nothing that no policy grants", async () => {
    await using ceph = await startCeph();
    await keepOne(ceph);
    const box = await ceph.addUser("box");
    await assert.rejects(readOne(ceph, box), { name: "AccessDenied" });
    const own = new CreateBucketCommand({ Bucket: "of-its-own" });
    await assert.rejects(clientOf(ceph, box).send(own), { name: "AccessDenied" });
  });
});
