import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import {
  CreateBucketCommand,
  DeleteBucketReplicationCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { DAY_MS, MINUTE_MS } from "#base/time";
import { regionOf, tellsOf } from "../config/eea.ts";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { openResidency, whereaboutsOf } from "../storage/vault/residency.ts";
import { openS3Calls } from "../storage/vault/s3-calls.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { handClock, START } from "./fakes/rig.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const BOX = { name: "box", accessKeyId: "BOX", secretAccessKey: "boxs-secret" };

function residenceOf(provider: string, region: string) {
  return { reports: regionOf(provider, region)?.reports ?? [], tells: tellsOf(provider) };
}
const FRANKFURT = residenceOf("aws", "eu-central-1");
const OWN = residenceOf("own", "eu-central-1");

function callsTo(endpoint: string) {
  const bucket = {
    // Addressed by path: the host has no name here.
    provider: "own",
    region: "eu-central-1",
    endpoint,
    name: "beelden",
    owner: undefined,
    level: "plain",
    certificate: undefined,
    reports: [],
  } as const;
  return openS3Calls(bucket, BOX);
}

type Action = "s3:ListBucket" | "s3:GetBucketLocation" | "s3:GetReplicationConfiguration";
const LOOKING: readonly Action[] = [
  "s3:ListBucket",
  "s3:GetBucketLocation",
  "s3:GetReplicationConfiguration",
];

/** A bucket of this repository's server, in which the box may look. */
async function bucketIn(region: string) {
  const server = await startS3Server({ quirks: "aws", users: [OWNER, BOX], region });
  const client = new S3Client({
    endpoint: server.endpoint,
    region,
    credentials: OWNER,
    forcePathStyle: true,
  });
  const at = { Bucket: "beelden" };
  const allow = async (actions: readonly Action[]) => {
    const statement = {
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam:::user/box" },
      Action: actions,
      Resource: "arn:aws:s3:::beelden",
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await client.send(new PutBucketPolicyCommand({ ...at, Policy }));
  };
  await client.send(new CreateBucketCommand(at));
  await allow(LOOKING);
  return {
    endpoint: server.endpoint,
    allow,
    async copyElsewhere() {
      const Destination = { Bucket: "arn:aws:s3:::elders" };
      const Rules = [{ Status: "Disabled", Prefix: "", Destination }] as const;
      const ReplicationConfiguration = { Role: "arn:aws:iam:::role/x", Rules: [...Rules] };
      await client.send(new PutBucketReplicationCommand({ ...at, ReplicationConfiguration }));
    },
    stopCopying: () => client.send(new DeleteBucketReplicationCommand(at)),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Something that answers as `listener` does, and remembers what was asked. */
async function answering(listener: RequestListener) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    asked,
    endpoint: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a bucket that is asked where it is, over S3 (DH-11)", () => {
  it("answers, and bytes may go while it is where it should be and copies nowhere", async () => {
    await using bucket = await bucketIn("eu-central-1");
    await using calls = callsTo(bucket.endpoint);
    assert.deepEqual(await whereaboutsOf(calls, FRANKFURT), {
      header: "eu-central-1",
      location: "eu-central-1",
      replication: [],
      refused: undefined,
    });
  });

  it("in another region is refused, for what it says or by where it sends us", async () => {
    await using london = await bucketIn("eu-west-2");
    await using calls = callsTo(london.endpoint);
    const { refused: why } = await whereaboutsOf(calls, FRANKFURT);
    assert.equal(why, "its header says eu-west-2, which is not eu-central-1");
    for (const status of [301, 307]) {
      await using elsewhere = await answering((_, response) => {
        const headers = { location: "http://127.0.0.1:9/", "x-amz-bucket-region": "eu-west-2" };
        response.writeHead(status, headers).end();
      });
      await using moved = callsTo(elsewhere.endpoint);
      const { header, location, refused } = await whereaboutsOf(moved, OWN);
      assert.deepEqual([header, location], ["elsewhere", "elsewhere"]);
      assert.equal(refused, "its header: elsewhere");
      assert.equal(elsewhere.asked.length, 3);
    }
    await using other = await answering(({ url = "" }, response) => {
      const replication = url.includes("replication");
      response.writeHead(replication ? 501 : 200, { "x-amz-bucket-region": "eu-west-2" });
      response.end("<LocationConstraint/>");
    });
    await using honest = callsTo(other.endpoint);
    const told = await whereaboutsOf(honest, { ...FRANKFURT, tells: OWN.tells });
    assert.match(told.refused ?? "", /its header says eu-west-2, which is not eu-central-1/);
  });

  it("that begins to copy, even by a rule that is off, is refused a day later at most", async () => {
    await using bucket = await bucketIn("eu-central-1");
    await using calls = callsTo(bucket.endpoint);
    const clock = handClock(START);
    const reasons: (string | undefined)[] = [];
    const residency = openResidency(clock, calls, FRANKFURT, async ({ refused }) => {
      reasons.push(refused);
    });
    await residency();
    await bucket.copyElsewhere();
    await residency();
    clock.move(DAY_MS);
    await assert.rejects(residency(), { code: "VAULT_OUTSIDE_EEA", transient: true });
    await bucket.stopCopying();
    clock.move(MINUTE_MS);
    await residency();
    assert.deepEqual(reasons, [undefined, "it copies to 1 other bucket(s)", undefined]);
  });

  it("that denies any of the looks is refused, of whatever provider", async () => {
    await using bucket = await bucketIn("eu-central-1");
    await using calls = callsTo(bucket.endpoint);
    for (const denied of LOOKING) {
      await bucket.allow(LOOKING.filter((action) => action !== denied));
      // Whoever may not list it is told by its header all the same.
      if (denied === "s3:ListBucket") {
        assert.equal((await whereaboutsOf(calls, FRANKFURT)).refused, undefined);
        continue;
      }
      for (const residence of [FRANKFURT, OWN]) {
        const { refused } = await whereaboutsOf(calls, residence);
        assert.match(refused ?? "", /: denied$/, denied);
      }
    }
  });

  it("of a provider that does not know the questions goes by the table", async () => {
    await using poor = await answering(({ method }, response) => {
      response.writeHead(method === "HEAD" ? 200 : 501).end();
    });
    await using calls = callsTo(poor.endpoint);
    const finland = await whereaboutsOf(calls, residenceOf("hetzner", "hel1"));
    assert.deepEqual(finland, {
      header: "not told",
      location: "not told",
      replication: "not asked",
      refused: undefined,
    });
    assert.equal((await whereaboutsOf(calls, OWN)).refused, undefined);
    assert.equal((await whereaboutsOf(calls, FRANKFURT)).refused, "its header: not told");
  });
});

/** All that could lead a client of S3 to somewhere else than where it was told to go. */
function misleading(endpoint: string) {
  const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
  return {
    ...Object.fromEntries(
      [...proxies, ...proxies.map((name) => name.toLowerCase())].map((name) => [name, endpoint]),
    ),
    NODE_USE_ENV_PROXY: "1",
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "X",
    AWS_SECRET_ACCESS_KEY: "geheimgeheim",
    AWS_SESSION_TOKEN: "geheim",
    AWS_USE_FIPS_ENDPOINT: "true",
    AWS_USE_DUALSTACK_ENDPOINT: "true",
    AWS_S3_USE_ARN_REGION: "true",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: endpoint,
  };
}

describe("where the vault is", () => {
  it("is not left to the environment: the unit takes away what could mislead", async () => {
    const unit = await readFile(new URL("../systemd/bewaard.service", import.meta.url), "utf8");
    const gone = [...unit.matchAll(/^UnsetEnvironment=(.*)$/gm)].flatMap(([, names = ""]) =>
      names.split(" "),
    );
    for (const name of Object.keys(misleading(""))) assert.ok(gone.includes(name), name);
  });

  it("is what the configuration says, whatever environment, profiles and proxies say", async () => {
    await using trap = await answering((_, response) => {
      response.writeHead(200, { "x-amz-bucket-region": "us-east-1" }).end();
    });
    await using bucket = await bucketIn("eu-central-1");
    await using home = await temporaryFolder();
    await mkdir(`${home.path}/.aws`);
    const profile = [
      "region = us-east-1",
      `endpoint_url = ${trap.endpoint}`,
      "use_fips_endpoint = true",
    ];
    const secret = ["aws_access_key_id = X", "aws_secret_access_key = geheimgeheim"];
    await writeFile(`${home.path}/.aws/config`, ["[default]", ...profile].join("\n"));
    await writeFile(`${home.path}/.aws/credentials`, ["[default]", ...secret].join("\n"));
    const env = { PATH: process.env["PATH"], HOME: home.path, ...misleading(trap.endpoint) };
    const asker = fileURLToPath(new URL("fakes/ask-bucket.ts", import.meta.url));
    const said = await new Promise<string>((resolve, reject) => {
      const args = [asker, bucket.endpoint];
      const child = execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        error ? reject(new Error(stderr)) : resolve(stdout),
      );
      child.stdin?.end(BOX.secretAccessKey);
    });
    assert.deepEqual(JSON.parse(said), {
      header: "eu-central-1",
      location: "eu-central-1",
      replication: [],
    });
    assert.deepEqual(trap.asked, []);
  });
});
