import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
import { type Instant, instant } from "#base/time";

// The one file that runs `openssl ts`, which speaks RFC 3161 so that we parse nothing of what an authority says.

const run = promisify(execFile);

/** No call takes a second; none says more than a few kilobytes. */
const TIMEOUT_MS = 10_000;
const OUTPUT_LIMIT_BYTES = 256 * 1024;

/** Debian's own list of authorities, where the site names none. */
const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/** A TimeStampReq in DER over a SHA-256 in hex: with a nonce, and asking for the authority's certificate. */
export async function timestampQuery(digest: string, signal: AbortSignal): Promise<Buffer> {
  const { code, out } = await openssl(["-query", "-sha256", "-digest", digest, "-cert"], signal);
  if (code !== 0) throw new Error("openssl makes no query");
  return out;
}

/** What a reply must answer: the query that was sent, or, long after, the digest it is over. */
export type Asked = { readonly query: Buffer } | { readonly digest: string };

/**
 * Checks an authority's reply: granted, over what was asked, with its nonce, signed by a chain that ends in
 * the PEM file `authorities` (undefined: the system's). Returns what time it was, says the authority.
 * @throws BewaardError TIMESTAMP_REFUSED, TOOL_MISSING.
 */
export async function checkTimestamp(
  asked: Asked,
  reply: Uint8Array,
  authorities: string | undefined,
  signal: AbortSignal,
): Promise<Instant> {
  const doing = "checking a timestamp";
  const folder = await mkdtemp(join(tmpdir(), "bewaard-timestamp-")).catch((error: unknown) => {
    throw diskError(error, doing);
  });
  try {
    const file = join(folder, "reply.tsr");
    const query = join(folder, "query.tsq");
    await writeFile(file, reply);
    if ("query" in asked) await writeFile(query, asked.query);
    const over = "query" in asked ? ["-queryfile", query] : ["-digest", asked.digest];
    const trusted = ["-CAfile", authorities ?? SYSTEM_AUTHORITIES];
    const { code } = await openssl(["-verify", ...over, "-in", file, ...trusted], signal);
    if (code !== 0) throw refused("it is not this authority's timestamp over what was asked");
    const { out } = await openssl(["-reply", "-in", file, "-text"], signal);
    return toldIn(out.toString("utf8"));
  } catch (error) {
    throw diskError(error, doing);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The line of `openssl ts -reply -text`: `Time stamp: Nov 25 03:24:27 2026 GMT`. */
function toldIn(shown: string): Instant {
  const [, told] = /^Time stamp: (.+ GMT)$/m.exec(shown) ?? [];
  const at = Date.parse(told ?? "");
  if (Number.isNaN(at)) throw refused("it tells no time");
  return instant(at);
}

function refused(why: string): BewaardError {
  return new BewaardError("TIMESTAMP_REFUSED", `the reply of the authority is refused: ${why}`);
}

/** Runs `openssl ts`, without a shell. An exit code is an answer; not running at all is not. */
async function openssl(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly out: Buffer }> {
  const limits = { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_LIMIT_BYTES, signal };
  try {
    const { stdout } = await run("openssl", ["ts", ...args], { ...limits, encoding: "buffer" });
    return { code: 0, out: stdout };
  } catch (cause) {
    if (signal.aborted) throw cause;
    if (systemCode(cause) === "ENOENT") {
      const say = "openssl cannot be run: apt-get install openssl";
      throw new BewaardError("TOOL_MISSING", say, { cause });
    }
    return { code: 1, out: Buffer.alloc(0) };
  }
}
