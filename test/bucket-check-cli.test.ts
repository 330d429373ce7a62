import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { fitBucket, NODE, USERS } from "./fakes/fit-bucket.ts";
import { openSite, type Site } from "./fakes/site.ts";

const run = promisify(execFile);
const CLI = new URL("../daemon/cli/bewaard.ts", import.meta.url).pathname;
const printed = z.object({
  vault: z.string(),
  configured: z.string(),
  amountsTo: z.string(),
  fit: z.boolean(),
  checks: z.array(z.object({ what: z.string(), verdict: z.string() })),
  left: z.array(z.object({ key: z.string(), goneBy: z.string().nullable() })),
});

/** What the command printed, and its exit code. */
async function bewaard(site: Site, ...args: readonly string[]) {
  const all = [CLI, "-c", join(site.folder, "bewaard.yaml"), ...args];
  try {
    return { out: (await run(process.execPath, all)).stdout, code: 0 };
  } catch (error) {
    const { stdout, code } = z.object({ stdout: z.string(), code: z.number() }).parse(error);
    return { out: stdout, code };
  }
}

/** Gives the site's box a bucket in place of its directory, and the credentials for it. */
async function moveIn(
  site: Site,
  endpoint: string,
  level: "plain" | "locked",
  credentials: Readonly<Record<string, { accessKeyId: string; secretAccessKey: string }>>,
): Promise<void> {
  const path = join(site.folder, "bewaard.yaml");
  const s3 = [
    "  s3:",
    "    provider: own",
    "    region: eu-central-1",
    `    endpoint: ${endpoint}`,
    `    bucket: fit-${level}`,
    `    level: ${level}`,
    "    country: NL",
    "    declared_by: beheer",
    "    declared_on: 2026-05-01",
  ].join("\n");
  const text = await readFile(path, "utf8");
  await writeFile(
    path,
    text.replace(/^ {2}directory: .*vault$/m, s3).replace(/^node: .*/m, `node: ${NODE}`),
  );
  for (const [name, { accessKeyId, secretAccessKey }] of Object.entries(credentials)) {
    const file = join(site.folder, "state", `${name}.credential`);
    await writeFile(file, `${accessKeyId}:${secretAccessKey}\n`, { mode: 0o600 });
  }
}

async function withBucket(
  level: "plain" | "locked",
  body: (site: Site) => Promise<void>,
): Promise<void> {
  const [owner, box, destroyer] = USERS;
  await using server = await startS3Server({ quirks: "ceph", users: USERS });
  const peer = { ...server, credential: owner, certificate: undefined };
  await using _bucket = await fitBucket(peer, { box, destroyer }, level, "ceph");
  await using site = await openSite(systemClock.now(), ["bc-0101"], 40);
  const spare = level === "plain" ? { destroyer } : {};
  await moveIn(site, server.endpoint, level, { vault: box, ...spare });
  await body(site);
}

describe("bewaard check --vault", function () {
  this.timeout(60_000);

  for (const level of ["plain", "locked"] as const) {
    it(`says of a ${level} bucket what it is, with the credentials on this machine`, async () => {
      await withBucket(level, async (site) => {
        const { out, code } = await bewaard(site, "check", "--vault", "--json");
        const told = printed.parse(JSON.parse(out));
        assert.deepEqual(
          [told.configured, told.amountsTo, told.fit, code],
          [level, level, true, 0],
        );
        assert.match((await bewaard(site, "check", "--vault")).out, /\nGESCHIKT \/ FIT: fit-/);
      });
    });
  }

  it("refuses a bucket that is called locked and is not", async () => {
    await withBucket("plain", async (site) => {
      const path = join(site.folder, "bewaard.yaml");
      const text = await readFile(path, "utf8");
      await writeFile(path, text.replace("level: plain", "level: locked"));
      const { out, code } = await bewaard(site, "check", "--vault");
      assert.equal(code, 1);
      assert.match(out, /✘ object lock: .*\n {4}betekent \/ means: .*\n {4}doe \/ do: /);
      assert.match(out, /\nNIET GESCHIKT \/ NOT FIT: .*hoogstens plain/);
      const short = (await bewaard(site, "check")).out;
      assert.match(short, /✘ vault: object lock: /);
    });
  });

  it("says in a short row of `bewaard check` that the bucket answers, and where", async () => {
    await withBucket("locked", async (site) => {
      const { out } = await bewaard(site, "check");
      assert.match(out, /✔ vault: fit-locked, own eu-central-1, locked: antwoordt/);
    });
  });

  it("says of a directory that it is one", async () => {
    await using site = await openSite(systemClock.now(), ["bc-0101"], 40);
    const { out, code } = await bewaard(site, "check", "--vault", "--json");
    const told = printed.parse(JSON.parse(out));
    assert.deepEqual([told.configured, told.amountsTo, code], ["directory", "directory", 0]);
  });

  it("says which credential is missing", async () => {
    await withBucket("plain", async (site) => {
      await writeFile(join(site.folder, "state/vault.credential"), "");
      await assert.rejects(
        run(process.execPath, [CLI, "-c", join(site.folder, "bewaard.yaml"), "check", "--vault"]),
        /SECRET_MISSING/,
      );
    });
  });
});
