import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { systemClock } from "#base/system-clock";
import { type Clock, DAY_MS, instant, plus } from "#base/time";
import { readSecret } from "../config/secrets.ts";
import { checkBox } from "../daemon/fitness/check-box.ts";
import { kindOf } from "../daemon/fitness/file-system.ts";
import { type Fitness, shownFitness } from "../daemon/fitness/shown-fitness.ts";
import { signPairedList } from "../daemon/orders/paired-list.ts";
import { originOf, pairedNotePath, socketPath } from "../daemon/places.ts";
import { giveSpool } from "../daemon/setup/give-spool.ts";
import { newNodeKeyPem, parseNodeKey, verifierText } from "../storage/ledger/note.ts";
import { openLease } from "../storage/spool/lease.ts";
import { openSpool } from "../storage/spool/spool.ts";
import { createDirectoryVault } from "../storage/vault/directory.ts";
import { COVERT_CAMERA, GOOD_CAMERA, SOUND_CAMERA } from "./fakes/configuration.ts";
import { NEVER } from "./fakes/rig.ts";
import { openSite, type Site } from "./fakes/site.ts";
import { itWithoutPowers } from "./fakes/without-powers.ts";

const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));

/** This machine at `now`. In a hurry its ten seconds of patience are three. */
function clockAt(now: typeof START, inAHurry: boolean): Clock {
  const sleep: Clock["sleep"] = (ms, signal) => systemClock.sleep(ms * 0.3, signal);
  return { ...systemClock, now: () => now, ...(inAHurry ? { sleep } : {}) };
}

interface Around {
  readonly now?: typeof START;
  readonly inAHurry?: boolean;
  readonly proc?: string;
  readonly cgroup?: string;
  readonly verifier?: string;
  readonly serves?: string;
}

async function checked(site: Site, around: Around = {}): Promise<readonly Fitness[]> {
  const helper = {
    verifier: around.verifier ?? at(site, "node.vkey"),
    owner: process.getuid?.() ?? 0,
    serves: around.serves,
  };
  const roots = {
    proc: around.proc ?? "/proc",
    cgroup: around.cgroup ?? "/sys/fs/cgroup",
    helper,
  };
  const clock = clockAt(around.now ?? START, around.inAHurry === true);
  return checkBox(clock, join(site.folder, "bewaard.yaml"), NEVER, roots);
}

/** What is not fit, or a warning, as `what: dutch`. */
function told(found: readonly Fitness[], verdict: Fitness["verdict"]): string {
  return found
    .filter((one) => one.verdict === verdict)
    .map(({ what, says, todo }) => `${what}: ${says.nl} | ${says.en} | ${todo?.nl} | ${todo?.en}`)
    .join("\n");
}

async function edit(site: Site, name: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(site.folder, name);
  await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
}

/** Makes the demo's site one with real footage, for which less is allowed. */
const asReal = (site: Site) => edit(site, "bewaard.yaml", "demo: true", "demo: false");

const withMedium = (site: Site) =>
  appendFile(
    at(site, "bewaard.yaml"),
    `secured: { directory: ${at(site, "medium")}, medium: usb-schijf, serial: WD-123 }\n`,
  );

const at = (site: Site, name: string): string => join(site.folder, name);

interface Fault {
  /** Faults of one round are done to one machine. */
  readonly round: number;
  readonly spoil: (site: Site) => Promise<unknown>;
  readonly says: RegExp;
  readonly warns?: boolean;
}

/** Everything that can be wrong with a machine, done to it, and what is then said. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "another disk in the place of the spool": {
    round: 1,
    spoil: (site) => rm(at(site, "spool/bewaard-spool.json")),
    says: /^spool: .*SPOOL_IDENTITY.*is its disk mounted/m,
  },
  "less room than it must keep free": {
    round: 3,
    spoil: (site) => edit(site, "bewaard.yaml", "100 MB", "900 TB"),
    says: /^spool: .*SPOOL_FULL.*less than keep_free/m,
  },
  "no medium where policy asks for a separate copy (AR-20)": {
    round: 4,
    spoil: (site) => edit(site, "bewaard.yaml", "policy: den-haag", "policy: arnhem"),
    says: /^medium: .*afzonderlijke kopie.*secured:/m,
    warns: true,
  },
  "a medium that is away": {
    round: 5,
    spoil: (site) => withMedium(site),
    says: /^medium: usb-schijf WD-123 is er nu niet.*setup --medium/m,
    warns: true,
  },
  "a medium on the spool's disk": {
    round: 6,
    spoil: async (site) => {
      await withMedium(site);
      await createDirectoryVault(at(site, "medium"));
    },
    says: /^medium: .*op dezelfde schijf als de spool/m,
    warns: true,
  },
  "a ring larger than its disk": {
    round: 4,
    spoil: (site) => edit(site, "bewaard.yaml", "20 GB", "900 TB"),
    says: /^spool: limit en keep_free passen niet/m,
    warns: true,
  },
  "a spool that others can read": {
    round: 1,
    spoil: (site) => chmod(at(site, "spool"), 0o755),
    says: /^permissions: .*spool.*chmod 700/m,
  },
  "a state folder that others can read": {
    round: 1,
    spoil: (site) => chmod(at(site, "state"), 0o755),
    says: /^permissions: .*state.*chmod 710/m,
  },
  "a folder of the recorder's own that others can read": {
    round: 3,
    spoil: async (site) => {
      const own = at(site, "record");
      await mkdir(own);
      await chmod(own, 0o755);
      await edit(site, "bewaard.yaml", /$/, stringify({ recorder: { state: own } }));
    },
    says: /^permissions: .*record staat open.*chmod 710/m,
  },
  "a policy of which nobody says when employees were informed (AR-11)": {
    round: 2,
    spoil: asReal,
    says: /^policy: .*POLICY_NOT_IN_FORCE.*informed_on/m,
  },
  "a configuration that others can change": {
    round: 2,
    spoil: async (site) => {
      await asReal(site);
      await chmod(at(site, "bewaard.yaml"), 0o666);
    },
    says: /^permissions: anderen kunnen .*bewaard.yaml veranderen.*chmod go-w/m,
  },
  "signers that others can change": {
    round: 2,
    spoil: async (site) => {
      await asReal(site);
      await chmod(at(site, "desk/desk.signers"), 0o622);
    },
    says: /^permissions: .*desk.signers/m,
  },
  "a node key that others can read": {
    round: 1,
    spoil: (site) => chmod(at(site, "state/node.key"), 0o644),
    says: /^node key: .*SECRET_EXPOSED.*chmod 600/m,
  },
  "a node key that is none": {
    round: 2,
    spoil: (site) => writeFile(at(site, "state/node.key"), "junk", { mode: 0o600 }),
    says: /^node key: .*NODE_KEY/m,
  },
  "recipients of two kinds": {
    round: 1,
    spoil: async (site) => {
      const book = await readFile(at(site, "desk/recipients.txt"), "utf8");
      const pq = `age1pq1${"q".repeat(1952)}`;
      await writeFile(at(site, "desk/recipients.txt"), `${book}2026-09-01 ${pq}\n`);
    },
    says: /^recipients: .*RECIPIENT_MIXED/m,
  },
  "no recipients at all": {
    round: 3,
    spoil: (site) => rm(at(site, "desk/recipients.txt")),
    says: /^recipients: .*CONFIG_MISSING/m,
  },
  "a signer without a key": {
    round: 1,
    spoil: (site) => writeFile(at(site, "desk/desk.signers"), "p-01 ssh-ed25519 AAAA\n"),
    says: /^desk signers: .*DESK_KEY.*line 1/m,
  },
  "nobody who may sign": {
    round: 3,
    spoil: (site) => writeFile(at(site, "desk/desk.signers"), "# nobody\n"),
    says: /^desk signers: niemand/m,
  },
  "an officer's key beside the configuration": {
    round: 2,
    spoil: asReal,
    says: /^secrets: \d+ geheime sleutel/m,
  },
  "root, where there is real footage": {
    round: 2,
    spoil: asReal,
    says: process.getuid?.() === 0 ? /^user: draait als root/m : /^secrets/m,
  },
  "a vault that is not there": {
    round: 1,
    spoil: (site) => rm(at(site, "vault"), { recursive: true }),
    says: /^vault: .*VAULT_UNAVAILABLE/m,
  },
  "a folder that is no vault": {
    round: 2,
    spoil: (site) => rm(at(site, "vault/bewaard-vault.json")),
    says: /^vault: .*VAULT_IDENTITY.*is it mounted/m,
  },
  "a vault that takes no writes": {
    round: 3,
    spoil: async (site) => {
      await rm(at(site, "vault/.writing"), { recursive: true });
      await writeFile(at(site, "vault/.writing"), "");
    },
    says: /^vault: /m,
  },
  "a vault on the disk of the spool": {
    round: 4,
    spoil: async () => undefined,
    says: /^vault: staat op dezelfde schijf/m,
    warns: true,
  },
  "an unknown policy": {
    round: 1,
    spoil: (site) => edit(site, "bewaard.yaml", "policy: den-haag", "policy: nergens"),
    says: /^policy: .*CONFIG_MISSING/m,
  },
  "an unknown camera profile": {
    round: 1,
    spoil: (site) => edit(site, "bewaard.yaml", /profile: .*/, "profile: nergens"),
    says: /^profiles: .*CONFIG_MISSING/m,
  },
  "nothing that runs": {
    round: 4,
    spoil: async () => undefined,
    says: /^service: er draait geen bewaard/m,
    warns: true,
  },
};

describe("bewaard check", function () {
  this.timeout(120_000);

  for (const round of [1, 2, 3, 4, 5, 6]) {
    const faults = Object.entries(FAULTS).filter(([, fault]) => fault.round === round);
    it(`tells in one run of ${faults.map(([what]) => what).join(", ")}; and what to do`, async () => {
      await using site = await openSite(START, ["bc-0101"], round === 4 ? 40 : 3);
      for (const [, { spoil }] of faults) await spoil(site);
      const found = await checked(site);
      for (const [what, { says, warns }] of faults) {
        assert.match(told(found, warns === true ? "warning" : "not fit"), says, what);
      }
      for (const { verdict, says, todo } of found) {
        assert.ok(says.nl !== "" && says.en !== "");
        assert.equal(todo === null, verdict === "fit");
      }
    });
  }

  it("finds a healthy machine fit, and leaves nothing behind", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const before = await readdir(site.folder, { recursive: true });
    const found = await checked(site);
    assert.equal(told(found, "not fit"), "");
    assert.match(shownFitness(found), /\nGESCHIKT \/ FIT: 0 fout/);
    const made = new Set(await readdir(site.folder, { recursive: true }));
    for (const name of before) made.delete(name);
    assert.deepEqual([...made], []);
  });

  const asRoot = process.getuid?.() === 0 ? it : leftOut;
  asRoot(
    "lets dock and recorder pass through the spool to what is theirs, and see no more of it",
    async () => {
      await using site = await openSite(START, ["bc-0101"], 3);
      const [dock, record] = [61_001, 61_002].map((id) => ({ uid: id, gid: id }));
      assert.ok(dock && record);
      await giveSpool(at(site, "spool"), { uid: 0, gid: 0 }, { dock, record });
      assert.doesNotMatch(told(await checked(site), "not fit"), /^permissions/m);
      for (const [name, mode, right] of [
        ["spool", 0o755, "711"],
        ["spool/segments", 0o711, "700"],
        ["spool/incoming/dock", 0o2775, "2770"],
      ] as const) {
        await chmod(at(site, name), mode);
        const says = new RegExp(
          `^permissions: .*/${name} staat open voor anderen.*chmod ${right} `,
          "m",
        );
        assert.match(told(await checked(site), "not fit"), says);
      }
    },
  );

  asRoot("says what keeps dock and recorder from what they need", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const [dock, record] = [61_001, 61_002].map((id) => ({ uid: id, gid: id }));
    assert.ok(dock && record);
    await chmod(site.folder, 0o711);
    await giveSpool(at(site, "spool"), { uid: 0, gid: 0 }, { dock, record });
    const [bodycam] = site.demo.config.bodycams;
    assert.ok(bodycam);
    await mkdir(bodycam.folder, { recursive: true });
    await chmod(bodycam.folder, 0o750);
    const seen = async () => told(await checked(site), "warning");
    assert.match(await seen(), /^permissions: .*the dock may not be able to read.*chmod o\+rx/m);
    await chown(bodycam.folder, 0, dock.gid);
    assert.doesNotMatch(await seen(), /^permissions/m);
    // By a link as well.
    await mkdir(at(site, "disk"), { mode: 0o700 });
    await rename(at(site, "spool"), at(site, "disk/spool"));
    await symlink(at(site, "disk/spool"), at(site, "spool"));
    assert.match(await seen(), /^permissions: .*\/disk may not let dock and recorder.*chmod o\+x/m);
    await rm(at(site, "spool/incoming/record"), { recursive: true });
    assert.match(
      told(await checked(site), "not fit"),
      /^permissions: .*is gone, or not theirs.*setup --parts/m,
    );
  });

  it("writes to no file that a link in a folder of the box leads to", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await writeFile(at(site, "another's"), "blijft");
    await symlink(at(site, "another's"), at(site, "spool/.fitness"));
    await checked(site);
    assert.equal(await readFile(at(site, "another's"), "utf8"), "blijft");
  });

  it("shows who declared where own storage stands: nobody can see that (DH-11)", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const s3 = {
      provider: "own",
      region: "huis",
      endpoint: "http://127.0.0.1:1",
      bucket: "beelden",
      level: "plain",
      country: "NL",
      declared_by: "functioneel-beheer",
      declared_on: "2026-11-01",
    };
    await edit(site, "bewaard.yaml", /vault:\n {2}directory: .*\n/, stringify({ vault: { s3 } }));
    const row = (await checked(site, { inAHurry: true })).find(
      ({ what }) => what === "configuration",
    );
    assert.equal(row?.verdict, "fit");
    assert.match(
      row.says.nl,
      /; beelden staat in NL, door beheerder verklaard \(functioneel-beheer, 2026-11-01\)$/,
    );
    assert.match(row.says.en, /; beelden is in NL, declared by the administrator \(functioneel/);
  });

  it("asks for a key ceremony 30 days before the last identity, and refuses after it", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const on = async (day: number) => checked(site, { now: plus(START, day * DAY_MS) });
    assert.doesNotMatch(told(await on(8), "warning"), /^recipients/m);
    assert.match(told(await on(9), "warning"), /^recipients: .*bewaarctl desk init/m);
    assert.match(told(await on(40), "not fit"), /^recipients: .*: op/m);
  });

  it("does not believe a clock from before there was a bewaard", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const now = instant(Date.parse("2010-01-01T00:00:00.000Z"));
    assert.match(told(await checked(site, { now }), "not fit"), /^clock: de klok staat op 2010/m);
  });

  it("goes on when a vault hangs, as a share does whose server is gone", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    await rm(at(site, "vault/bewaard-vault.json"));
    // Opening a FIFO that nobody writes to waits for ever, like a hard mount.
    execFileSync("mkfifo", [at(site, "vault/bewaard-vault.json")]);
    const found = await checked(site, { inAHurry: true });
    // Whoever waits for it holds a thread that the tests behind this one need.
    await (await open(at(site, "vault/bewaard-vault.json"), "r+")).close();
    assert.match(told(found, "not fit"), /^vault: geen antwoord binnen/m);
    assert.ok(found.some(({ what, verdict }) => what === "node key" && verdict === "fit"));
  });

  it("tells a bewaard that is stuck from none at all", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const { config } = site.demo;
    await using _lease = await openLease(await openSpool(config.spool.path, config.node), "core");
    // Its lock is held by this process: another one has to look.
    const cli = new URL("../daemon/cli/bewaard.ts", import.meta.url).pathname;
    const args = [cli, "-c", at(site, "bewaard.yaml"), "check", "--json"];
    assert.throws(
      () => execFileSync(process.execPath, args, { encoding: "utf8" }),
      (error: { stdout?: string }) => /die niet antwoordt/.test(error.stdout ?? ""),
    );
  });

  it("does not wait for a socket that takes the question and says nothing", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.resume());
    server.listen(socketPath(site.demo.config));
    await once(server, "listening");
    try {
      const found = await checked(site, { inAHurry: true });
      assert.match(told(found, "not fit"), /^service: geen antwoord/m);
    } finally {
      server.close();
    }
  });

  it("says whether the root helper believes this box's key, and what to do where it does not", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    await asReal(site);
    const verifier = at(site, "node.vkey");
    const says = async () => {
      const found = await checked(site, { verifier });
      return found.filter(({ what }) => what === "helper key").map((one) => shownFitness([one]));
    };
    const { config } = site.demo;
    const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
    assert.match((await says()).join(), /^✔ helper key: niet ingericht/);
    const looks = { vendor: "0b6a", product: "1234", serial: "TS00A1B2", volume: null };
    const cameras = [{ number: "bc-0101", ...looks }];
    const made = "2026-06-01T10:00:00.000Z";
    const list = { bewaard: "paired/1", node: config.node, at: made, cameras } as const;
    await writeFile(pairedNotePath(config), signPairedList(key, list));
    assert.match(
      (await says()).join(),
      /^✘ helper key: .*HELPER_KEY.*1 cameras are paired.*bewaard setup/,
    );
    const other = parseNodeKey(originOf(config), newNodeKeyPem());
    await writeFile(verifier, `${verifierText(other)}\n`, { mode: 0o644 });
    assert.match((await says()).join(), /^✘ helper key: .*HELPER_KEY.*another key.*bewaard setup/);
    await writeFile(verifier, `${verifierText(key)}\n`);
    assert.match((await says()).join(), /^✔ helper key: de sleutel van deze kast/);
    await chmod(verifier, 0o666);
    assert.match((await says()).join(), /^✘ helper key: .*not root's alone/);
    await rm(verifier);
    const ofTenant = async () =>
      (await checked(site, { verifier, serves: "/var/lib/bewaard" }))
        .filter(({ what }) => what === "helper key")
        .map((one) => shownFitness([one]));
    assert.match((await ofTenant()).join(), /^✘ helper key: .*slots for another box/);
    await rm(pairedNotePath(config));
    assert.match((await ofTenant()).join(), /^✔ helper key: leest hier geen slots/);
  });

  it("warns of swap, core dumps and little memory", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const proc = at(site, "proc");
    await mkdir(join(proc, "self"), { recursive: true });
    await writeFile(join(proc, "meminfo"), "MemTotal:         400000 kB\n");
    await writeFile(join(proc, "swaps"), "Filename Type Size\n/swapfile file 1000\n");
    await writeFile(join(proc, "self/limits"), "Max core file size        unlimited  unlimited\n");
    const warned = told(await checked(site, { proc }), "warning");
    for (const says of [/maar 0.4 GB geheugen/, /er is wisselgeheugen/, /geheugenafdruk/]) {
      assert.match(warned, says);
    }
  });

  it("says which programs are missing: only without ssh-keygen nothing goes", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const bin = at(site, "bin");
    await mkdir(bin);
    const path = process.env["PATH"];
    try {
      process.env["PATH"] = bin;
      const none = await checked(site);
      assert.match(told(none, "not fit"), /^tools: ssh-keygen ontbreekt.*openssh-client/m);
      assert.match(told(none, "warning"), /^tools: ffprobe ontbreekt/m);
      assert.match(told(none, "warning"), /^clock: niets houdt de klok gelijk/m);
      await symlink("/usr/bin/ssh-keygen", join(bin, "ssh-keygen"));
      assert.doesNotMatch(told(await checked(site), "not fit"), /^tools/m);
    } finally {
      process.env["PATH"] = path;
    }
  });

  it("shows the policy as the annex leaves it, and a regime of one's own as such (AR-08, AR-09)", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const annex = at(site, "annex.yaml");
    const agreed = "{ reference: A-1, date: 2026-01-01, by: college }";
    const tenant = `tenant: huurder\nconsent: ${agreed}\n`;
    await writeFile(annex, `${tenant}agreed: ${agreed}\nretention: 7 days\n`);
    await edit(site, "bewaard.yaml", "policy: den-haag", `policy: den-haag\nannex: ${annex}`);
    assert.match(shownFitness(await checked(site)), /^✔ policy: .*bodycams.*huurder.*: 7 dagen/m);
    await writeFile(annex, `${tenant}agreed: ${agreed}\npurposes: [nergens]\n`);
    assert.match(told(await checked(site), "not fit"), /^policy: .*POLICY_WIDENED/m);
    const own = at(site, "own.yaml");
    await cp(new URL("../config/policies/den-haag.yaml", import.meta.url), own);
    await writeFile(annex, `${tenant}own_regime: true\n`);
    await edit(site, "bewaard.yaml", "policy: den-haag", `policy: ${own}`);
    assert.match(shownFitness(await checked(site)), /^✔ policy: .*EIGEN REGELING/m);
  });

  it("says how ffprobe is kept from the network", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    assert.match(shownFitness(await checked(site)), /^[✔!] tools: ffprobe .*netwerk/m);
  });

  it("says of each camera in a building whether it can record, and of a covert one no more than its number (AR-10, AR-40)", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const { notice: _, ...unnoticed } = { ...GOOD_CAMERA, number: "cam-3", url: "rtsp://h/3" };
    const { user: __, ...anybodys } = { ...GOOD_CAMERA, number: "cam-4", url: "rtsp://h/4" };
    const notice = { confirmed_on: "2026-06-02", by: "beheer" };
    const early = { ...GOOD_CAMERA, number: "cam-5", url: "rtsp://h/5", notice };
    const outside = { ...SOUND_CAMERA, number: "cam-6", url: "rtsp://h/6", room: "hal" };
    const several = { ...GOOD_CAMERA, number: "cam-7", url: "rtsp://h/7" };
    const all = [
      GOOD_CAMERA,
      SOUND_CAMERA,
      unnoticed,
      anybodys,
      early,
      outside,
      several,
      COVERT_CAMERA,
    ];
    await edit(site, "bewaard.yaml", "policy: den-haag", "policy: arnhem");
    await edit(site, "bewaard.yaml", /$/, stringify({ cameras: all }));
    const password = (number: string, content: string, mode = 0o600) =>
      writeFile(at(site, `state/${number}.password`), content, { mode });
    await password("cam-0001", "geheim\n");
    await password("cam-3", "geheim\r\n");
    await password("cam-5", "geheim");
    await password("cam-6", "\n");
    await password("cam-7", "geheim\ngeheim\n");
    await password("cam-0009", "geheim");
    await password("cam-0002", "geheim", 0o644);
    const found = await checked(site);
    const [shown, faults] = [shownFitness(found), told(found, "not fit")];
    const warned = told(found, "warning");
    assert.match(shown, /^✔ cameras: cam-0001: bord \/ notice 2026-05-01, DPIA DPIA-2026-4/m);
    assert.match(faults, /^cameras: cam-0002: wachtwoord.*SECRET_EXPOSED.*chmod 600/m);
    assert.match(warned, /^cameras: cam-3: niet in dienst.*\(AR-10\)/m);
    assert.match(warned, /^cameras: cam-4: geen aanmelding/m);
    assert.match(warned, /^cameras: cam-5: een bevestiging .* nog moet komen/m);
    assert.match(faults, /^cameras: \d+:\d+: cameras\.5\.sound: mag niet: .*\(AR-14\)/m);
    assert.match(faults, /^cameras: cam-6: wachtwoord.*SECRET_MISSING.*is empty/m);
    assert.match(faults, /^cameras: cam-7: wachtwoord.*SECRET_MISSING.*more than one line/m);
    assert.match(shown, /^✔ cameras: cam-0009 \/ cam-0009 is complete$/m);
    assert.doesNotMatch(shown, /geheim\b(?! sleutel)|INT-2026-3|magazijn|heimelijk|covert/);
    await asReal(site);
    assert.match(told(await checked(site), "not fit"), /^cameras: cam-5: een bevestiging/m);
  });

  it("needs ffmpeg only where there are cameras in buildings", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const bin = at(site, "bin");
    await mkdir(bin);
    const path = process.env["PATH"];
    try {
      process.env["PATH"] = bin;
      assert.match(told(await checked(site), "warning"), /^tools: ffmpeg ontbreekt/m);
      await edit(site, "bewaard.yaml", /$/, stringify({ cameras: [GOOD_CAMERA] }));
      assert.match(told(await checked(site), "not fit"), /^tools: ffmpeg ontbreekt/m);
    } finally {
      process.env["PATH"] = path;
    }
  });

  itWithoutPowers(
    import.meta.url,
    "looks for keys in what it may read, and says what it may not",
    async () => {
      await using site = await openSite(START, ["bc-0101"], 40);
      await writeFile(at(site, "root-only"), "x", { mode: 0o000 });
      const found = await checked(site);
      assert.match(told(found, "warning"), /^secrets: 1 bestand/m);
      assert.doesNotMatch(told(found, "not fit"), /^secrets/m);
    },
  );

  it("believes chrony or timedatectl that the clock is kept right", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const bin = at(site, "bin");
    await mkdir(bin);
    const path = process.env["PATH"];
    const answers = { no: "0,x,Not synchronised", yes: "C0A80001,192.168.0.1,3,0.1,Normal" };
    try {
      process.env["PATH"] = `${bin}:${path}`;
      for (const [known, line] of Object.entries(answers)) {
        await writeFile(join(bin, "timedatectl"), "#!/bin/sh\necho no\n", { mode: 0o755 });
        await writeFile(join(bin, "chronyc"), `#!/bin/sh\necho '${line}'\n`, { mode: 0o755 });
        const found = await checked(site);
        const right = found.some(({ says }) => says.nl === "gelijk gehouden door chrony");
        assert.equal(right, known === "yes");
      }
    } finally {
      process.env["PATH"] = path;
    }
  });

  it("knows the file systems that a catalog is not safe on", () => {
    for (const [type, kind] of [
      [0x4d44, "fat"],
      [0x6969, "nfs"],
      [0xfe534d42, "smb2"],
      [0xef53, "ext4"],
      [0x1234, "0x1234"],
    ] as const) {
      assert.equal(kindOf(type), kind);
    }
  });
});

/** Only root gives folders to others. */
function leftOut(): void {}
