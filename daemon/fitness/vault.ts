import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BewaardError, ERROR_CODES } from "#base/errors";
import { kindOf } from "./file-system.ts";
import { lookAtBucket } from "./look-at-bucket.ts";
import { fit, type Machine, type Seen, warning } from "./seen.ts";

const PROBE = fileURLToPath(new URL("./vault-probe.ts", import.meta.url));

const told = z.union([
  z.object({ dev: z.number(), type: z.number(), unfinished: z.number(), tookMs: z.number() }),
  z.object({ code: z.enum(ERROR_CODES), message: z.string() }),
]);

/** More than the docks of one box write at the same time. */
const MANY_UNFINISHED = 20;

/** Whether the vault is there, takes writes, and does not die together with the spool. */
export async function lookAtVault(
  { config }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  if ("s3" in config.vault) return lookAtBucket(config, config.vault.s3);
  const root = config.vault.directory;
  const seen = told.parse(JSON.parse(await probed(root, signal)));
  if ("code" in seen) throw new BewaardError(seen.code, seen.message);
  const kind = kindOf(seen.type);
  const spool = await stat(config.spool.path);
  return [
    fit(`${root} (${kind}), schrijft in ${seen.tookMs} ms`, `writes in ${seen.tookMs} ms`),
    spool.dev === seen.dev
      ? warning(
          {
            nl: "staat op dezelfde schijf als de spool: gaat die stuk, dan is alles weg",
            en: "is on the same disk as the spool: when that one dies, everything is gone",
          },
          { nl: "zet de kluis op een NAS", en: "put the vault on a NAS" },
        )
      : fit("op een andere schijf dan de spool", "on another disk than the spool"),
    ...(seen.unfinished <= MANY_UNFINISHED
      ? []
      : [
          warning(
            { nl: `${seen.unfinished} onafgemaakte`, en: `${seen.unfinished} unfinished writes` },
            {
              nl: "kijk in het journaal naar store-delayed",
              en: "see store-delayed in the journal",
            },
          ),
        ]),
  ];
}

/** What the probe says. One that hangs with its share is left behind, and does not keep us. */
async function probed(root: string, signal: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, [PROBE, root], { stdio: ["ignore", "pipe", "ignore"] });
  const leave = (): void => {
    child.kill("SIGKILL");
    child.stdout.destroy();
    child.unref();
  };
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await text(child.stdout);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
