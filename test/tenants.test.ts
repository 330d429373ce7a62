import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { parseTenant } from "../daemon/setup/tenant.ts";
import { TENANT_UNITS, templateName, tenantTemplate } from "../packaging/tenant.ts";

/** What the root helper mounts is the box's. */
const HIDDEN = "TemporaryFileSystem=/run/bewaard:ro";

/** What it says, without comments. */
function said(text: string): readonly string[] {
  return text.split("\n").filter((line) => !/^(?:#.*)?$/.test(line));
}

async function both(name: string) {
  const text = await readFile(new URL(`../systemd/${name}`, import.meta.url), "utf8");
  return { unit: said(text), template: said(tenantTemplate(text)) };
}

/** As it stands in the unit itself. */
function untenanted(line: string): string {
  return line
    .replaceAll("bewaard-%i", "bewaard")
    .replaceAll("/%i.yaml", "/bewaard.yaml")
    .replace(/ \(%i\)$|@%i$/, "");
}

/** What a tenant has not of a line: what lies in the box's own folders. */
function unserved(line: string): string {
  if (/^\w+=(?:BEWAARD_\w+=)?\/run\/bewaard\/|=-\/var\/lib\/bewaard-record$/.test(line)) return "";
  return line.replaceAll(/(?<=[= ])bewaard-[a-z]+\.socket(?: |$)/g, "").replace(/^\w+=$| $/, "");
}

describe("the units of a tenant", () => {
  it("are those of a box, line by line, but for whose they are", async () => {
    for (const name of [...TENANT_UNITS, "bewaard-bucket.conf"]) {
      const { unit, template } = await both(name);
      const same = template.filter((line) => line !== HIDDEN).map(untenanted);
      // An empty line of a setting begins its list anew.
      const kept = unit.map((line) => (line.endsWith("=") ? line : unserved(line)));
      assert.deepEqual(
        same,
        kept.filter((line) => line !== ""),
        name,
      );
    }
  });

  it("name nothing of a box or of another tenant", async () => {
    for (const name of TENANT_UNITS) {
      const { template } = await both(name);
      const says = template.join("\n");
      assert.doesNotMatch(says, /\/(?:srv|mnt|var\/lib|var\/cache)\/bewaard(?!-%i)/, name);
      assert.doesNotMatch(
        says,
        /bewaard\.yaml|BEWAARD_[A-Z]+=|\/run\/bewaard\/|bewaard-[a-z]+\.socket/,
        name,
      );
      for (const key of ["User", "Group", "StateDirectory", "CacheDirectory"])
        assert.match(says, new RegExp(`^${key}=bewaard-%i$`, "m"), `${name} ${key}`);
      assert.match(says, /--config \/etc\/bewaard\/%i\.yaml run/, name);
      // Each its own in the journal.
      assert.match(says, /^SyslogIdentifier=bewaard\S*@%i$/m, name);
      assert.ok(template.includes(HIDDEN), name);
      assert.equal(templateName(name), name.replace(".", "@."));
    }
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
});
