import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { foldersOf, parseTenant, usersOf } from "../daemon/setup/tenant.ts";
import { TENANT_FILES, TENANT_UNITS, templateName, tenantTemplate } from "../packaging/tenant.ts";
import { temporaryFolder } from "./fakes/folder.ts";

/** What the root helper mounts is the box's. */
const HIDDEN = "TemporaryFileSystem=/run/bewaard:ro";
const CORE_DOCK_RECORDER = ["bewaard.service", "bewaard-dock.service", "bewaard-record.service"];
/** No port by itself: each tenant's would have to be another. */
const METRICS = [
  "ListenStream=/run/bewaard/metrics.sock",
  "SocketGroup=bewaard",
  "SocketMode=0660",
];
const FILES = Object.keys(TENANT_FILES);

/** What it says, without comments. */
function said(text: string): readonly string[] {
  return text.split("\n").filter((line) => !/^(?:#.*)?$/.test(line));
}

/** The tenant is the instance, but where that is the connection. */
const whoIn = (name: string): "%i" | "%j" => (FILES.includes(name) ? "%j" : "%i");

async function both(name: string) {
  const text = await readFile(new URL(`../systemd/${name}`, import.meta.url), "utf8");
  return { unit: said(text), template: said(tenantTemplate(text, whoIn(name))) };
}

/** As it stands in the unit itself. */
function untenanted(line: string, who: string): string {
  return line
    .replace(`system-bewaard-tenant-${who}.slice`, "system-bewaard-ffmpeg.slice")
    .replaceAll(`@${who}`, "")
    .replaceAll(`-${who}`, "")
    .replaceAll(`/${who}.yaml`, "/bewaard.yaml")
    .replace(` (${who})`, "");
}

describe("the units of a tenant", () => {
  it("are those of a box, line by line, but for whose they are", async () => {
    for (const name of [...TENANT_UNITS, ...FILES, "bewaard-bucket.conf"]) {
      const { unit, template } = await both(name);
      const same = template
        .filter((line) => line !== HIDDEN)
        .map((line) => untenanted(line, whoIn(name)));
      const own = unit.flatMap((line) =>
        line === "ListenStream=127.0.0.1:9464" ? METRICS : [line],
      );
      assert.deepEqual(same, own, name);
    }
  });

  it("name nothing of a box or of another tenant", async () => {
    for (const name of CORE_DOCK_RECORDER) {
      const { template } = await both(name);
      const says = template.join("\n");
      assert.doesNotMatch(says, /\/(?:srv|mnt|var\/lib|var\/cache)\/bewaard(?!-%i)/, name);
      assert.doesNotMatch(
        says,
        /bewaard\.yaml|\/run\/bewaard\/|bewaard(?:-[a-z]+)?\.(?:socket|service)/,
        name,
      );
      const user = name.replace("bewaard", "bewaard-%i").replace(".service", "");
      for (const key of ["User", "Group", "CacheDirectory"])
        assert.match(says, new RegExp(`^${key}=${user}$`, "m"), `${name} ${key}`);
      assert.match(says, /--config \/etc\/bewaard\/%i\.yaml run/, name);
      // Each its own in the journal.
      assert.match(says, /^SyslogIdentifier=bewaard\S*@%i$/m, name);
      assert.ok(template.includes(HIDDEN), name);
      assert.equal(templateName(name), name.replace(".", "@."));
    }
  });

  it("have ffmpeg and ffprobe started behind sockets that only that part of this tenant may open", async () => {
    for (const [socket, path, user] of [
      ["bewaard-ffprobe.socket", "/run/bewaard-%i/ffprobe.sock", "bewaard-%i-dock"],
      ["bewaard-ffmpeg.socket", "/run/bewaard-%j/ffmpeg.sock", "bewaard-%j-record"],
    ] as const) {
      const { template } = await both(socket);
      for (const line of [`ListenStream=${path}`, `SocketUser=${user}`, `SocketGroup=${user}`])
        assert.ok(template.includes(line), `${socket}: ${line}`);
      assert.ok(template.includes("SocketMode=0600"));
    }
    for (const [name, line, upholds] of [
      ["bewaard-dock", "FFPROBE=/run/bewaard-%i/ffprobe.sock", "bewaard-ffprobe@%i.socket"],
      ["bewaard-record", "FFMPEG=/run/bewaard-%i/ffmpeg.sock", "bewaard-ffmpeg-%i.socket"],
    ]) {
      const { template } = await both(`${name}.service`);
      assert.ok(template.includes(`Environment=BEWAARD_${line}`), name);
      assert.ok(template.includes(`Upholds=${upholds}`), name);
    }
  });

  it("have its ffmpegs in the network of its own recorder's gate, with memory of its own (decision 0033)", async () => {
    const { template: gate } = await both("bewaard-gate.socket");
    assert.ok(gate.includes("PrivateNetwork=yes"));
    for (const key of ["PartOf", "Service"])
      assert.ok(gate.includes(`${key}=bewaard-record@%i.service`), key);
    const { template: recorder } = await both("bewaard-record.service");
    for (const key of ["PartOf", "Sockets"])
      assert.ok(recorder.includes(`${key}=bewaard-gate@%i.socket`), key);
    const { template: ffmpeg } = await both("bewaard-ffmpeg@.service");
    for (const key of ["JoinsNamespaceOf", "Requisite", "After"])
      assert.ok(ffmpeg.includes(`${key}=bewaard-gate@%j.socket`), key);
    for (const line of ["User=f%i", "DynamicUser=yes", "Slice=system-bewaard-tenant-%j.slice"])
      assert.ok(ffmpeg.includes(line), line);
    assert.doesNotMatch(ffmpeg.join("\n"), /bewaard-gate\.socket|bewaard-%j/);
  });

  it("have its metrics passed on by who sees nothing of another tenant, at a socket that only its group may open", async () => {
    const { template: proxy } = await both("bewaard-metrics.service");
    for (const line of [
      "SupplementaryGroups=bewaard-%i",
      "TemporaryFileSystem=/var/lib:ro",
      "BindReadOnlyPaths=-/var/lib/bewaard-%i/metrics",
      "Requires=bewaard-metrics@%i.socket",
    ])
      assert.ok(proxy.includes(line), line);
    assert.doesNotMatch(proxy.join("\n"), /bewaard(?:-metrics\.socket|\/metrics)/);
    const { template: socket } = await both("bewaard-metrics.socket");
    assert.deepEqual(
      socket.filter((line) => line.startsWith("ListenStream=")),
      ["ListenStream=/run/bewaard-%i/metrics.sock"],
    );
  });

  it("that no template can be for are there for each tenant that was made, and for nobody else", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    for (const name of ["etc", "from", "made"]) await mkdir(at(name));
    for (const name of Object.values(TENANT_FILES)) await writeFile(at(`from/${name}`), name);
    const text = await readFile(new URL("../systemd/tenants.sh", import.meta.url), "utf8");
    const here = text
      .replace("/etc/sysusers.d", at("etc"))
      .replace("/usr/lib/bewaard/systemd", at("from"));
    const run = () => execFileSync("/bin/sh", ["-c", here, "tenants.sh", at("made")]);
    run();
    assert.deepEqual(await readdir(at("made")), []);
    for (const name of ["bewaard-bibliotheek", "bewaard-museum", "postgres"])
      await writeFile(at(`etc/${name}.conf`), "");
    run();
    const made = ["bibliotheek", "museum"].flatMap((tenant): [string, string][] => [
      [`bewaard-ffmpeg-${tenant}.socket`, "bewaard-ffmpeg-tenant.socket"],
      [`bewaard-ffmpeg-${tenant}@.service`, "bewaard-ffmpeg-tenant@.service"],
      [`system-bewaard-tenant-${tenant}.slice`, "system-bewaard-tenant.slice"],
    ]);
    assert.deepEqual((await readdir(at("made"))).toSorted(), made.map(([name]) => name).toSorted());
    for (const [name, from] of made) assert.equal(await readFile(at(`made/${name}`), "utf8"), from);
  });
});

describe("the users and folders of a tenant", () => {
  it("are those of a box, and a group besides of those who may read its configuration", async () => {
    const box = async (name: string) =>
      said(await readFile(new URL(`../systemd/${name}`, import.meta.url), "utf8"));
    const own = (text: string) =>
      said(text).map((line) =>
        line.replaceAll(/bewaard([-/ ])museum/g, "bewaard").replace(/ museum/g, ""),
      );
    const users = own(usersOf("museum"));
    const parts = users.filter((line) => line.includes("bewaard-parts"));
    const name = (line: string) => line.replace(/ ".*"/, "");
    assert.deepEqual(
      users.filter((line) => !parts.includes(line)).map(name),
      (await box("bewaard.sysusers")).map(name),
    );
    assert.deepEqual(parts, [
      "g bewaard-parts -",
      ...["", "-dock", "-record"].map((part) => `m bewaard${part} bewaard-parts`),
    ]);
    // The helper's are the machine's.
    const folders = (await box("bewaard.tmpfiles")).filter(
      (line) => !/ (?:\/run\/bewaard\/(?:cards|media|reports|room)|\S+\/orders) /.test(line),
    );
    assert.deepEqual(own(foldersOf("museum")).toSorted(), folders.toSorted());
  });
});

describe("the name of a tenant", () => {
  it("is never one of bewaard's own: not that of any unit, nor of a folder or file beside the tenants'", async () => {
    assert.equal(parseTenant("bibliotheek"), "bibliotheek");
    const units = await readdir(new URL("../systemd", import.meta.url));
    const own = units.flatMap((name) => /^bewaard-([a-z0-9]+)[.@]/.exec(name)?.[1] ?? []);
    assert.ok(own.length > 12, String(own));
    const others = [
      "annex",
      "bewaard",
      "credentials",
      "examples",
      "helper",
      "profiles",
      "purge",
      "setup",
    ];
    for (const name of [...own, ...others])
      assert.throws(() => parseTenant(name), { code: "DESK_INPUT" }, name);
  });

  it("leaves room for what its users are called: a user's name has at most 31 characters", () => {
    const longest = "a".repeat(16);
    assert.equal(parseTenant(longest), longest);
    assert.equal(`bewaard-${longest}-record`.length, 31);
    assert.throws(() => parseTenant(`${longest}a`), {
      code: "DESK_INPUT",
      message: /hoogstens \/ at most 16/,
    });
    for (const name of ["", "a", "1a", "Aa", "a-b", "a b", "a\n"])
      assert.throws(() => parseTenant(name), { code: "DESK_INPUT" }, name);
  });
});
