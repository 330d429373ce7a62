import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startS3Server } from "./server.ts";

/**
 * Runs the S3 server as a process of its own until it is told to end, or until who started it closes its input:
 * `node main.ts --user name:id:secret [--user …] [--quirks ceph] [--folder …] [--port …] [--day-ms …] [--tls …]`,
 * where `--tls` is a file with key and certificate.
 * Its first line says where it is: {"endpoint":"http://127.0.0.1:40123","region":"eu-central-1"}.
 */
const { values } = parseArgs({
  options: {
    user: { type: "string", multiple: true, default: ["demo:demo:demo-secret"] },
    quirks: { type: "string", default: "aws" },
    folder: { type: "string" },
    port: { type: "string", default: "0" },
    "day-ms": { type: "string" },
    tls: { type: "string" },
  },
});
const users = values.user.map((line) => {
  const [name = "", accessKeyId = "", secretAccessKey = ""] = line.split(":");
  return { name, accessKeyId, secretAccessKey };
});
const pem = values.tls === undefined ? undefined : await readFile(values.tls, "utf8");
await using server = await startS3Server({
  users,
  quirks: values.quirks === "ceph" ? "ceph" : "aws",
  port: Number(values.port),
  ...(values.folder === undefined ? {} : { folder: values.folder }),
  ...(pem === undefined ? {} : { tls: { key: pem, cert: pem } }),
  ...(values["day-ms"] === undefined ? {} : { dayMs: Number(values["day-ms"]) }),
});
const { endpoint, region } = server;
process.stdout.write(`${JSON.stringify({ endpoint, region })}\n`);
process.stdin.resume();
await Promise.race([once(process.stdin, "end"), once(process, "SIGTERM"), once(process, "SIGINT")]);
process.stdin.destroy();
