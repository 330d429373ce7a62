import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, it } from "mocha";
import { openS3Calls } from "../storage/vault/s3-calls.ts";

/** Refuses every request, with these headers. */
async function refusing(headers: Readonly<Record<string, string>>) {
  const server = createServer((_request, response) => {
    response.writeHead(403, headers).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const bucket = {
    provider: "own",
    region: "eu-central-1",
    endpoint: `http://127.0.0.1:${address.port}`,
    name: "gem-voorbeeld-beelden",
    owner: undefined,
    level: "locked",
    certificate: undefined,
    reports: [],
  } as const;
  const calls = openS3Calls(bucket, { accessKeyId: "BOX", secretAccessKey: "box-secret" });
  return {
    calls,
    async [Symbol.asyncDispose]() {
      await calls[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a bucket that is asked where it is (DH-11)", () => {
  it("is believed by its header also where the box may not list it, as on AWS", async () => {
    await using under = await refusing({ "x-amz-bucket-region": "eu-west-2" });
    assert.equal((await under.calls.headBucket()).region, "eu-west-2");
  });

  it("is not believed to be anywhere when it refuses and says nothing", async () => {
    await using under = await refusing({});
    await assert.rejects(under.calls.headBucket(), { code: "VAULT_DENIED" });
  });
});
