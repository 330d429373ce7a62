import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { temporaryFolder } from "./fakes/folder.ts";

/** What a unit says, in order: later lines win, or add. Comments too where `commented`. */
async function unit(name: string, commented = false): Promise<readonly string[]> {
  const text = await readFile(new URL(`../systemd/${name}`, import.meta.url), "utf8");
  const lines = commented ? text.replaceAll(/^# (?=[A-Z][A-Za-z]+=)/gm, "") : text;
  return lines.split("\n").filter((line) => /^[A-Z][A-Za-z]+=/.test(line));
}

/** The value that counts of a setting that has one. */
function last(lines: readonly string[], name: string): string | undefined {
  return lines.findLast((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The values of a setting that is a list: lines add to it, and an empty one begins anew. */
function list(lines: readonly string[], name: string): readonly string[] {
  const values = lines.filter((line) => line.startsWith(`${name}=`));
  const from = values.findLastIndex((line) => line === `${name}=`);
  return values.slice(from + 1).flatMap((line) => line.slice(name.length + 1).split(" "));
}

/** Of `3min` or `90`. */
function seconds(span: string | undefined): number {
  const [, count, isMinutes] = /^(\d+)(min)?$/.exec(span ?? "") ?? [];
  return Number(count) * (isMinutes === undefined ? 1 : 60);
}

function parts(lines: readonly string[]): string | undefined {
  return /bewaard\.ts --config \S+ run (.*)$/.exec(
    lines.findLast((line) => line.startsWith("ExecStart=")) ?? "",
  )?.[1];
}

describe("the units of systemd", () => {
  it("let core and who reads cards open no connection, and the latter yet hear of what is plugged in", async () => {
    // What udev tells stays in the machine's own network namespace (decision 0030).
    assert.equal(last(await unit("bewaard-dock.service"), "PrivateNetwork"), undefined);
    for (const [name, families] of [
      ["bewaard.service", ["AF_UNIX"]],
      ["bewaard-dock.service", ["AF_UNIX", "AF_NETLINK"]],
    ] as const) {
      const lines = await unit(name);
      assert.deepEqual(list(lines, "RestrictAddressFamilies"), families, name);
      assert.deepEqual(list(lines, "IPAddressDeny"), ["any"], name);
      assert.deepEqual(list(lines, "IPAddressAllow"), [], name);
      assert.equal(last(lines, "RestrictNamespaces"), "yes", name);
      assert.equal(last(lines, "CapabilityBoundingSet"), "", name);
    }
  });

  it("let journald drop none of 10,000 lines a second, and file what has no level as an error", async () => {
    for (const name of ["bewaard.service", "bewaard-dock.service", "bewaard-record.service"]) {
      const lines = await unit(name);
      // Never 0: by that journald still drops some.
      const interval = Number(/^(\d+)s$/.exec(last(lines, "LogRateLimitIntervalSec") ?? "")?.[1]);
      const burst = Number(last(lines, "LogRateLimitBurst"));
      assert.ok(interval >= 1 && burst >= 30_000 && burst / interval >= 10_000, name);
      assert.equal(last(lines, "SyslogLevel"), "err", name);
    }
  });

  it("open it for a bucket to core alone, and not to a cloud's own services", async () => {
    const over = await unit("bewaard-bucket.conf");
    const both = [...(await unit("bewaard.service")), ...over];
    assert.deepEqual(list(both, "RestrictAddressFamilies"), ["AF_UNIX", "AF_INET", "AF_INET6"]);
    assert.deepEqual(list(both, "IPAddressDeny"), ["link-local", "multicast"]);
    // The line of the unit itself must go: a second one would be refused.
    assert.ok(over.includes("ExecStart="));
    assert.equal(parts(over), "core");
  });

  it("are started when the program says so, and end it when it does not say that it lives", async () => {
    for (const name of ["bewaard.service", "bewaard-dock.service", "bewaard-record.service"]) {
      const lines = await unit(name);
      assert.equal(last(lines, "Type"), "notify", name);
      assert.equal(last(lines, "NotifyAccess"), "main", name);
      assert.match(last(lines, "ExecReload") ?? "", /^\/bin\/kill -HUP \$MAINPID$/, name);
      // A slow machine keeps Node from its timers at a start for as long as this.
      assert.ok(seconds(last(lines, "WatchdogSec")) >= 60, name);
      assert.ok(seconds(last(lines, "TimeoutStartSec")) >= 300, name);
      // What was in memory is footage in clear, and the watchdog ends with a signal that dumps it.
      assert.equal(last(lines, "LimitCORE"), "0", name);
      assert.equal(last(lines, "Restart"), "always", name);
    }
  });

  it("open an address of this machine alone for metrics, and to nobody but the proxy, which has no other way", async () => {
    const socket = await unit("bewaard-metrics.socket");
    assert.deepEqual(list(socket, "ListenStream"), ["127.0.0.1:9464"]);
    const proxy = await unit("bewaard-metrics.service");
    assert.match(last(proxy, "ExecStart") ?? "", / \/var\/lib\/bewaard\/metrics\/metrics\.sock$/);
    assert.deepEqual(list(proxy, "BindReadOnlyPaths"), ["-/var/lib/bewaard/metrics"]);
    for (const [key, value] of [
      // It never says that it is ready, and would be ended after a minute and a half.
      ["Type", "exec"],
      ["TemporaryFileSystem", "/var/lib:ro"],
      ["DynamicUser", "yes"],
      ["PrivateNetwork", "yes"],
      ["IPAddressDeny", "any"],
      ["RestrictAddressFamilies", "AF_UNIX"],
      ["CapabilityBoundingSet", ""],
    ])
      assert.equal(last(proxy, key ?? ""), value, key);
  });

  it("have the folder of metrics be there before the proxy, which would see none that comes later", async () => {
    const made = await readFile(new URL("../systemd/bewaard.tmpfiles", import.meta.url), "utf8");
    assert.match(made, /^d \/var\/lib\/bewaard\/metrics 0710 bewaard bewaard -$/m);
  });

  it("are each known to the package where somebody may have turned it on, so that its removal leaves no trace", async () => {
    const folder = new URL("../systemd/", import.meta.url);
    const names = (await readdir(folder)).filter((name) =>
      /^[^@]*\.(?:service|socket|path)$/.test(name),
    );
    for (const name of names) {
      const isTurnedOn = /^\[Install\]$/m.test(await readFile(new URL(name, folder), "utf8"));
      for (const script of ["postinst", "postrm"]) {
        const at = new URL(`../packaging/debian/${script}`, import.meta.url);
        const [, ...lists] = (await readFile(at, "utf8")).split(/^(?:for unit in |\w+=")/m);
        const known = lists.flatMap((words) => (words.split(/[;"]/)[0] ?? "").split(" "));
        assert.equal(known.includes(name), isTurnedOn, `${script}: ${name}`);
      }
    }
  });

  it("start each part once", async () => {
    assert.equal(parts(await unit("bewaard.service")), "core");
    assert.equal(parts(await unit("bewaard-dock.service")), "dock");
    assert.equal(parts(await unit("bewaard-record.service")), "record");
  });

  it("bring all secrets of core where they bring one: it looks nowhere else then", async () => {
    const brought = (await unit("bewaard-bucket.conf", true)).flatMap(
      (line) => /^LoadCredential=([^:]+):/.exec(line)?.[1] ?? [],
    );
    const all = ["node.key", "vault.credential", "destroyer.credential", "secured.credential"];
    assert.deepEqual(brought, all);
  });

  it("never have a path unit give up, however often core writes what it watches", async () => {
    for (const name of ["orders", "paired"]) {
      const lines = await unit(`bewaard-${name}.service`);
      assert.ok(lines.includes("StartLimitIntervalSec=0"), name);
    }
  });

  it("look whether another card came in under its name when one has been put away (DH-01)", async () => {
    const media = await unit("bewaard-media@.service");
    assert.equal(last(media, "OnSuccess"), "bewaard-again@%i.service");
    const again = await unit("bewaard-again@.service");
    assert.equal(last(again, "ConditionPathExists"), "/sys/class/block/%I");
    assert.match(last(again, "ExecStart") ?? "", / start bewaard-media@%i\.service$/);
  });

  it("have all cards looked at again whose pairing may have changed, though one of them is going", async () => {
    await using folder = await temporaryFolder();
    const program = join(folder.path, "systemctl");
    const fails = "#!/bin/sh\necho $3; [ $3 != bewaard-media@sdb1.service ]\n";
    await writeFile(program, fails, { mode: 0o755 });
    const refused = {
      sdb1: "unpaired",
      sdc1: "same-identity",
      sdd1: "mount-failed",
      "mtp-001-005": "unpaired",
    };
    for (const [name, why] of Object.entries(refused)) {
      // A device may call itself anything.
      const record = { serial: '"refused":"unpaired"', refused: why };
      await writeFile(join(folder.path, `${name}.json`), JSON.stringify(record));
    }
    const script = await readFile(new URL("../systemd/look-again.sh", import.meta.url), "utf8");
    const here = script.replace("/run/bewaard/cards", folder.path);
    const env = { PATH: `${folder.path}:${process.env["PATH"]}` };
    const { stdout, status } = spawnSync("/bin/sh", ["-c", here], { encoding: "utf8", env });
    assert.deepEqual(stdout.trim().split("\n"), [
      "bewaard-mtp@001-005.service",
      "bewaard-media@sdb1.service",
      "bewaard-media@sdc1.service",
    ]);
    assert.equal(status, 0);
  });

  it("wait before the root helper is started again after a failure, and only then", async () => {
    const line = (await unit("bewaard-orders.service")).find((one) =>
      one.startsWith("ExecStopPost="),
    );
    const [, script] = /^ExecStopPost=\/bin\/sh -c '([^']*)'$/.exec(line ?? "") ?? [];
    // As systemd hands it over; a longer sleep than a test has is told instead.
    const told = `sleep() { echo slept $1; }; ${script?.replaceAll("$$", "$").replace("exec ", "")}`;
    for (const [result, says] of [
      ["success", ""],
      ["exit-code", "slept 10\n"],
      ["timeout", "slept 10\n"],
    ]) {
      const env = { SERVICE_RESULT: result };
      assert.equal(execFileSync("/bin/sh", ["-c", told], { encoding: "utf8", env }), says);
    }
  });

  it("look again only at cards that may be paired now, and leave what was written of them", async () => {
    await using folder = await temporaryFolder();
    const cards = {
      sda1: '"unpaired"',
      sdb1: "null",
      sdc1: '"same-identity"',
      sdd1: '"too-large"',
    };
    for (const [name, refused] of Object.entries(cards))
      await writeFile(join(folder.path, `${name}.json`), `{"name":"${name}","refused":${refused}}`);
    const text = await readFile(new URL("../systemd/look-again.sh", import.meta.url), "utf8");
    const script = `systemctl() { echo $*; }\n${text.replace("/run/bewaard/cards", folder.path)}`;
    const asked = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
    assert.equal(
      asked,
      "reload-or-restart --no-block bewaard-media@sda1.service\n" +
        "reload-or-restart --no-block bewaard-media@sdc1.service\n",
    );
    const helper = await unit("bewaard-media@.service");
    const starts = helper.find((line) => line.startsWith("ExecStart="));
    assert.ok(helper.includes(starts?.replace("ExecStart=", "ExecReload=") ?? ""));
  });

  for (const [name, script, family] of [
    ["bewaard-ffprobe", "probe-film", "none"],
    ["bewaard-ffmpeg", "repack-stream", "AF_INET"],
  ] as const) {
    it(`run ${name} as a user of its own, without network, files or secrets (decision 0033)`, async () => {
      const lines = await unit(`${name}@.service`);
      for (const [key, value] of [
        ["DynamicUser", "yes"],
        ["PrivateNetwork", "yes"],
        ["IPAddressDeny", "any"],
        ["RestrictAddressFamilies", family],
        ["CapabilityBoundingSet", ""],
        ["RestrictNamespaces", "yes"],
        ["ProtectProc", "invisible"],
        ["ReadOnlyPaths", "-+/run"],
        ["MemoryDenyWriteExecute", "yes"],
        ["MemorySwapMax", "0"],
        ["LimitCORE", "0"],
        ["SystemCallErrorNumber", "EPERM"],
        // Else what it says could be an emergency, which is shown on every terminal.
        ["SyslogLevelPrefix", "no"],
      ])
        assert.equal(last(lines, key ?? ""), value, key);
      // Without the plus they are the machine's own paths, which are not in the room at all, and nothing is said of that.
      const hidden = list(lines, "InaccessiblePaths");
      for (const path of ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"])
        assert.ok(hidden.includes(`-+${path}`), path);
      // One that all connections had would let each see and stop the others.
      assert.match(last(lines, "User") ?? "", /^[fp]%i$/);
      const all = await unit(last(lines, "Slice") ?? "");
      assert.match(last(all, "MemoryMax") ?? "", /^[12]G$/);
      assert.equal(last(all, "MemorySwapMax"), "0");
      // TemporaryFileSystem=/ has no effect beside DynamicUser=.
      assert.equal(last(lines, "RootDirectory"), "/run/bewaard/room");
      const denied = list(lines, "SystemCallFilter");
      for (const call of ["kill", "tgkill", "@debug", "pidfd_getfd"])
        assert.ok(denied.includes(call));
      // Nothing of the machine but programs: neither /etc nor /var nor a spool.
      const own = `usr\\/lib\\/bewaard\\/systemd\\/${script}\\.sh`;
      const shown = new RegExp(
        `^-?\\/(usr|bin|lib|lib64|etc\\/ld\\.so\\.cache|etc\\/alternatives|${own})$`,
      );
      for (const path of list(lines, "BindReadOnlyPaths")) assert.match(path, shown);
      const gives =
        /^(LoadCredential\w*|SetCredential\w*|ReadWritePaths|BindPaths|(State|Cache|Logs|Runtime|Configuration)Directory|Environment\w*)=/;
      assert.ok(!lines.some((line) => gives.test(line)));
    });
  }

  it("tell who asks where that is, and bring it along", async () => {
    for (const [name, program] of [
      ["bewaard-dock", "ffprobe"],
      ["bewaard-record", "ffmpeg"],
    ]) {
      const asks = await unit(`${name}.service`);
      const socket = await unit(`bewaard-${program}.socket`);
      // A start that could not be queued fails a socket for good, which Wants= starts once.
      assert.ok(list(asks, "Upholds").includes(`bewaard-${program}.socket`), name);
      const at = `BEWAARD_${program?.toUpperCase()}=${last(socket, "ListenStream")}`;
      assert.ok(list(asks, "Environment").includes(at), name);
      assert.equal(last(socket, "SocketUser"), name);
      assert.equal(last(socket, "SocketMode"), "0600");
      assert.equal(last(socket, "Accept"), "yes");
      // Else a camera that fails each second would end all others' recordings.
      assert.equal(last(socket, "TriggerLimitIntervalSec"), "0");
    }
  });

  it("have core answer each producer in a folder of that one's own, and tell both where (decision 0035)", async () => {
    const core = await unit("bewaard.service");
    const made = await readFile(new URL("../systemd/bewaard.tmpfiles", import.meta.url), "utf8");
    for (const [name, folder, said] of [
      ["bewaard-dock", "/run/bewaard/dock", "BEWAARD_KNOWN=/run/bewaard/dock/known.sock"],
      ["bewaard-record", "/run/bewaard/record", "BEWAARD_ROOM=/run/bewaard/record/room.sock"],
    ] as const) {
      assert.ok(list(core, "Environment").includes(said), said);
      assert.ok(list(core, "ReadWritePaths").includes(folder), folder);
      // Of the folder's group is what is made in it, which core may not give away by itself.
      assert.match(made, new RegExp(`^d ${folder} 2710 bewaard ${name} -$`, "m"));
      const producer = await unit(`${name}.service`);
      assert.ok(list(producer, "Environment").includes(said), name);
      assert.ok(!list(producer, "ReadWritePaths").includes(folder), name);
    }
  });

  it("are each of a user of its own, core in the group of the two others, and none of these in any other's (decision 0035)", async () => {
    const names = ["bewaard", "bewaard-dock", "bewaard-record"];
    const sysusers = await readFile(
      new URL("../systemd/bewaard.sysusers", import.meta.url),
      "utf8",
    );
    for (const name of names) {
      const lines = await unit(`${name}.service`);
      assert.equal(last(lines, "User"), name);
      assert.equal(last(lines, "Group"), name);
      assert.equal(last(lines, "SupplementaryGroups"), undefined, name);
      // What Node compiled is code: nobody else's may be run.
      assert.deepEqual(list(lines, "CacheDirectory"), [name]);
      assert.ok(list(lines, "Environment").includes(`NODE_COMPILE_CACHE=/var/cache/${name}`));
      const isCore = name === "bewaard";
      assert.deepEqual(list(lines, "StateDirectory"), isCore ? [name] : [], name);
      assert.equal(last(lines, "UMask"), isCore ? "0077" : "0027", name);
      // Core must tell whose a file is.
      assert.equal(last(lines, "PrivateUsers"), isCore ? undefined : "yes", name);
      assert.match(sysusers, new RegExp(`^u ${name} - `, "m"));
    }
    const members = sysusers.split("\n").filter((line) => line.startsWith("m "));
    assert.deepEqual(members, ["m bewaard bewaard-dock", "m bewaard bewaard-record"]);
  });

  it("let the recorder have a folder of its own, whose sockets core's group may open (decision 0035)", async () => {
    const made = await readFile(new URL("../systemd/bewaard.tmpfiles", import.meta.url), "utf8");
    assert.match(made, /^d \/var\/lib\/bewaard-record 2710 bewaard-record bewaard -$/m);
    const recorder = await unit("bewaard-record.service");
    assert.ok(list(recorder, "ReadWritePaths").includes("-/var/lib/bewaard-record"));
    for (const name of ["bewaard.service", "bewaard-dock.service"])
      assert.ok(!(await unit(name)).some((line) => line.includes("bewaard-record")), name);
  });

  it("have ffmpeg's network be the gate's, and nothing else's", async () => {
    const gate = await unit("bewaard-gate.socket");
    assert.equal(last(gate, "PrivateNetwork"), "yes");
    assert.match(last(gate, "ListenStream") ?? "", /^127\.0\.0\.1:/);
    assert.equal(last(gate, "Service"), "bewaard-record.service");
    const recorder = await unit("bewaard-record.service");
    assert.ok(list(recorder, "Sockets").includes("bewaard-gate.socket"));
    const ffmpeg = await unit("bewaard-ffmpeg@.service");
    assert.equal(last(ffmpeg, "JoinsNamespaceOf"), "bewaard-gate.socket");
    assert.ok(list(ffmpeg, "Requisite").includes("bewaard-gate.socket"));
    assert.equal(last(ffmpeg, "LimitFSIZE"), "0");
    // It is none of who waits there, and cannot write into the memory of the script that ends it.
    for (const call of ["bind", "listen"])
      assert.ok(list(ffmpeg, "SystemCallFilter").some((one) => one.replace("~", "") === call));
    assert.ok(list(ffmpeg, "InaccessiblePaths").includes("-+/proc"));
  });

  it("begin and end the recorder and its gate together, and never keep the recorder from starting", async () => {
    const [gate, recorder] = [
      await unit("bewaard-gate.socket"),
      await unit("bewaard-record.service"),
    ];
    assert.ok(list(recorder, "PartOf").includes("bewaard-gate.socket"));
    assert.ok(list(gate, "PartOf").includes("bewaard-record.service"));
    assert.equal(last(gate, "FlushPending"), "yes");
    // A gate that could not be opened once would be the end of recording: such a start is not tried again.
    assert.equal(last(recorder, "Requires"), undefined);
    const prerm = new URL("../packaging/debian/prerm", import.meta.url);
    assert.match(
      await readFile(prerm, "utf8"),
      /^systemctl stop bewaard-gate\.socket bewaard-record\.service /m,
    );
  });

  it("guard core and dock alike", async () => {
    const guards = (lines: readonly string[]) =>
      lines.slice(
        lines.findIndex((line) => line.startsWith("NoNewPrivileges=")),
        -1,
      );
    // Each has its own places; core must tell whose a file in incoming/ is, and the dock hears of what is plugged in.
    const isOwn = (line: string) =>
      /^(?:ReadWritePaths|PrivateUsers|RestrictAddressFamilies)=/.test(line);
    const [both, dock] = [await unit("bewaard.service"), await unit("bewaard-dock.service")];
    assert.ok(guards(both).length > 20);
    assert.deepEqual(
      guards(dock).filter((line) => !isOwn(line)),
      guards(both).filter((line) => !isOwn(line)),
    );
  });

  it("have more threads than there are slots wherever cards are read, and than files go to a vault: those that hang hold up no other", async () => {
    for (const name of ["bewaard.service", "bewaard-dock.service", "bewaard-orders.service"]) {
      const words = list(await unit(name), "Environment");
      const [, size] = words.find((one) => one.startsWith("UV_THREADPOOL_SIZE="))?.split("=") ?? [];
      // Sixteen slots, each with one look at a time, and all that is not a card.
      assert.ok(Number(size) >= 24, name);
    }
  });

  it("let the second read of cards have only what the first reads leave over", async () => {
    const lines = await unit("bewaard-orders.service");
    assert.ok(lines.includes("CPUWeight=1"));
    assert.ok(lines.includes("Nice=19"));
    for (const name of ["bewaard.service", "bewaard-dock.service"])
      assert.ok(!(await unit(name)).some((line) => /^(CPUWeight|Nice)=/.test(line)), name);
  });

  it("let the helper of media devices do what that of cards may, beside their devices and a view of mounts", async () => {
    const [card, media] = [
      await unit("bewaard-media@.service"),
      await unit("bewaard-mtp@.service"),
    ];
    const guards = (lines: readonly string[]) => lines.slice(lines.indexOf("UMask=0022"));
    const only = (these: readonly string[], those: readonly string[]) =>
      guards(these).filter(
        (line) => !those.includes(line) && !line.startsWith("SyslogIdentifier="),
      );
    assert.ok(guards(media).length > 15);
    assert.deepEqual(only(media, card), [
      "RestrictNamespaces=mnt",
      "RestrictAddressFamilies=AF_NETLINK",
      "DeviceAllow=char-usb_device rw",
      "DeviceAllow=/dev/fuse rw",
      "TasksMax=48",
    ]);
    // What of the others is missing there has a line of its own above.
    assert.deepEqual(
      only(card, media).map((line) => line.split("=")[0]),
      ["RestrictNamespaces", "RestrictAddressFamilies", "DeviceAllow", "MemoryMax", "TasksMax"],
    );
  });

  it("give a file of a media device room that fits, which is never swapped out (invariant 2)", async () => {
    const lines = await unit("bewaard-mtp@.service");
    const valueOf = (key: string) =>
      Number(new RegExp(`^${key}=(\\d+)M?$`, "m").exec(lines.join("\n"))?.[1]);
    assert.ok(valueOf("Environment=ROOM") >= 1024);
    assert.equal(valueOf("MemoryMax"), valueOf("Environment=ROOM") + 384);
    assert.ok(lines.includes("MemorySwapMax=0"));
    assert.ok(lines.includes("LimitCORE=0"));
  });
});
