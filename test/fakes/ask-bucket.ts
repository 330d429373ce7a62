import { text } from "node:stream/consumers";
import { z } from "zod";
import { OWN_TELLS } from "../../config/eea-table.ts";
import { whereaboutsOf } from "../../storage/vault/residency.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";

// Asks the bucket at the endpoint given where it is, in a process of its own: with an environment of its own.

const endpoint = z.url().parse(process.argv[2]);
const secretAccessKey = (await text(process.stdin)).trim();
await using calls = openS3Calls(
  {
    provider: "own",
    region: "eu-central-1",
    endpoint,
    name: "beelden",
    owner: undefined,
    level: "plain",
    certificate: undefined,
    reports: [],
  },
  { accessKeyId: "BOX", secretAccessKey },
);
console.log(JSON.stringify(await whereaboutsOf(calls, { reports: [], tells: OWN_TELLS })));
