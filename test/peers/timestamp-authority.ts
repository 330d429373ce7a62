import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);

const CONFIG = `[tsa]
default_tsa=test
[test]
serial=./serial
signer_cert=./tsa.pem
certs=./ca.pem
signer_key=./tsa.key
signer_digest=sha256
default_policy=1.2.3.4.1
digests=sha256
tsa_name=yes
ess_cert_id_alg=sha256
`;
const USE =
  "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n";

/** Makes the keys of a timestamp authority in `folder`; returns the PEM file with its root. */
export async function makeAuthority(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "tsa.cnf"), CONFIG);
  await writeFile(join(folder, "use"), USE);
  await writeFile(join(folder, "serial"), "01\n");
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const days = ["-days", "3650"];
  const ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test root"];
  await openssl("req", "-x509", ...newKey, ...ca, ...days);
  await openssl("req", ...newKey, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test TSA");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "use"];
  await openssl("x509", "-req", "-in", "tsa.csr", "-out", "tsa.pem", ...signing, ...days);
  return join(folder, "ca.pem");
}

/** What the authority in `folder` replies to a query. */
export async function replyTo(folder: string, query: Buffer): Promise<Buffer> {
  await writeFile(join(folder, "query.tsq"), query);
  const files = ["-queryfile", "query.tsq", "-out", "reply.tsr"];
  await run("openssl", ["ts", "-reply", "-config", "tsa.cnf", "-section", "test", ...files], {
    cwd: folder,
  });
  return readFile(join(folder, "reply.tsr"));
}

export type Answer = (query: Buffer, response: ServerResponse) => Promise<void> | void;

/** A server on loopback that answers as told; the honest authority when nothing else is said. */
export async function serveAuthority(
  folder: string,
  answer: Answer = async (query, response) => {
    response.end(await replyTo(folder, query));
  },
): Promise<AsyncDisposable & { readonly url: string; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked += 1;
    void buffer(request).then((query) => answer(query, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
