import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import type { Credential } from "../../storage/vault/bucket.ts";
import { startCeph } from "../peers/ceph.ts";
import { clientOf } from "../peers/ceph-client.ts";
import { makeCertificate } from "../peers/ceph-files.ts";

const MAIN = fileURLToPath(new URL("../../daemon/demo/s3-server/main.ts", import.meta.url));
const BUCKET = "bench";
const CREDENTIAL = { accessKeyId: "BENCH", secretAccessKey: "bench-secret" };

/** A server in processes of its own, with one bucket that keeps versions. */
export interface BenchServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credential: Credential;
  readonly certificate: string | undefined;
  /** Of the certificate, for programs that take a file. */
  readonly certificatePath: string | undefined;
}

/** This repository's own S3 server, with its objects under `folder`. */
export async function startOwn(folder: string, tls: boolean): Promise<BenchServer> {
  const objects = join(folder, tls ? "own-tls" : "own");
  await mkdir(objects);
  const certificate = tls ? await makeCertificate(folder) : undefined;
  const user = `bench:${CREDENTIAL.accessKeyId}:${CREDENTIAL.secretAccessKey}`;
  const secure = certificate === undefined ? [] : ["--tls", certificate.path];
  const args = [MAIN, "--user", user, "--folder", objects, ...secure];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value = "" } = await lines.next();
  const said = z.object({ endpoint: z.string(), region: z.string() }).parse(JSON.parse(value));
  const server = {
    ...said,
    bucket: BUCKET,
    credential: CREDENTIAL,
    certificate: certificate?.pem,
    certificatePath: certificate?.path,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
      await rm(objects, { recursive: true });
    },
  };
  await makeBucket(server);
  return server;
}

/** Ceph in memory. What was deleted leaves it after seconds. */
export async function startPeer(): Promise<BenchServer> {
  const ceph = await startCeph();
  const { endpoint, region, credential } = ceph;
  const server = {
    endpoint,
    region,
    credential,
    bucket: BUCKET,
    certificate: undefined,
    certificatePath: undefined,
    [Symbol.asyncDispose]: () => ceph[Symbol.asyncDispose](),
  };
  await makeBucket(server);
  return server;
}

async function makeBucket({ bucket, ...server }: BenchServer): Promise<void> {
  const client: S3Client = clientOf(server, server.credential);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  await client.send(
    new PutBucketVersioningCommand({
      Bucket: bucket,
      VersioningConfiguration: { Status: "Enabled" },
    }),
  );
  client.destroy();
}
