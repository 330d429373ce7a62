import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { stringify } from "yaml";
import { parsePersonId } from "#base/ids";
import { type Clock, dayOf } from "#base/time";
import { readConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { Credential } from "../../storage/vault/bucket.ts";
import { initDesk } from "../desk/init.ts";
import { setupBox } from "../setup.ts";

const run = promisify(execFile);

/** A site of one box and one desk in one folder, marked as a demo: one person may open and release. */
export interface DemoSite {
  readonly config: Config;
  readonly desk: string;
  readonly officerKey: string;
  /** The folder that stands for each camera's dock. */
  readonly docks: Readonly<Record<string, string>>;
}

/** What each side of a site knows its bucket by. */
export interface SiteCredentials {
  readonly box: Credential;
  /** Where the level is plain. */
  readonly destroyer?: Credential;
  readonly custodian: Credential;
}

/**
 * Makes a demo site in `folder`: keys, configuration, spool, vault, desk with day identities for `days`.
 * Of the configuration `more` is written in place of what it has by itself; with a bucket in it, `known` says
 * what it knows them by.
 * X25519, because the demo opens with the stock `age` of Debian 12, which reads no post-quantum file.
 */
export async function makeDemoSite(
  clock: Clock,
  folder: string,
  cameras: readonly string[],
  days: number,
  signal: AbortSignal,
  more: object = {},
  known?: SiteCredentials,
): Promise<DemoSite> {
  const at = (name: string): string => join(folder, name);
  const docks = Object.fromEntries(cameras.map((number) => [number, at(`dock-${number}`)]));
  for (const dock of Object.values(docks)) await mkdir(dock);
  await writeFile(
    at("bewaard.yaml"),
    stringify({ ...configuration(clock, folder, docks), ...more }),
  );
  const config = await readConfig(at("bewaard.yaml"));
  const verifier = await setupBox(config);
  if (known) await writeCredentials(config, known);

  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", at("sign-key")]);
  const officer = await generateX25519Identity();
  await writeFile(at("officer.key"), `${officer}\n`, { mode: 0o600 });
  const desk = {
    site: config.site.name,
    demo: true,
    person: parsePersonId("p-01"),
    sign_key: at("sign-key"),
    vault: config.vault,
    policy: config.policy,
    nodes: [verifier],
    officers: [await identityToRecipient(officer)],
  };
  const ceremony = {
    folder: at("desk"),
    config: desk,
    kind: "x25519",
    from: clock.now(),
    days,
    ...(known === undefined ? {} : { credential: known.custodian }),
  } as const;
  await initDesk(clock, ceremony, () => undefined, signal);
  return { config, desk: at("desk"), officerKey: at("officer.key"), docks };
}

async function writeCredentials(
  { state }: Config,
  { box, destroyer }: SiteCredentials,
): Promise<void> {
  const known = { "vault.credential": box, "destroyer.credential": destroyer };
  for (const [name, credential] of Object.entries(known)) {
    if (credential === undefined) continue;
    const line = `${credential.accessKeyId}:${credential.secretAccessKey}\n`;
    await writeFile(join(state, name), line, { mode: 0o600 });
  }
}

function configuration(clock: Clock, folder: string, docks: Readonly<Record<string, string>>) {
  const at = (name: string): string => join(folder, name);
  return {
    site: { name: "demo-handhaving", demo: true },
    node: "dock-1",
    policy: "den-haag",
    state: at("state"),
    spool: { path: at("spool"), limit: "20 GB", keep_free: "100 MB" },
    vault: { directory: at("vault") },
    // The demo's clock is simulated: what this machine's chronyd says is about another time.
    time: { sources: [] },
    recipients: at("desk/recipients.txt"),
    desk_signers: at("desk/desk.signers"),
    bodycams: Object.entries(docks).map(([number, dock]) => ({
      number,
      folder: dock,
      profile: "generic-dcim-synchronised",
      paired: dayOf(clock.now()),
    })),
  };
}
