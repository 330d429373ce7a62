import type { Carried } from "./carried.ts";

/**
 * What is carried, as CycloneDX 1.5: name, version, licence, digest of what the registry serves, and what needs what. From the
 * lockfile alone, without a time or a number of its own: the same input gives the same bytes, which `npm sbom` does not, and
 * only what is in the package is in it.
 */
export function sbom(version: string, carried: readonly Carried[]): string {
  const needed = new Set(carried.flatMap(({ needs }) => needs));
  const direct = carried.filter(({ path }) => !needed.has(path));
  const named = new Map(carried.map((one) => [one.path, referenceOf(one)]));
  const refs = (paths: readonly string[]) => paths.flatMap((path) => named.get(path) ?? []);
  const self = `bewaard@${version}`;
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": self,
        name: "bewaard",
        version,
        licenses: [{ license: { id: "EUPL-1.2" } }],
      },
    },
    components: carried.map(component),
    dependencies: [
      { ref: self, dependsOn: refs(direct.map(({ path }) => path)) },
      ...carried.map((one) => ({ ref: referenceOf(one), dependsOn: refs(one.needs) })),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function component(one: Carried): object {
  const [algorithm = "", base64 = ""] = one.integrity?.split(/-(.*)/) ?? [];
  const digest = Buffer.from(base64, "base64").toString("hex");
  return {
    type: "library",
    "bom-ref": referenceOf(one),
    name: one.name,
    version: one.version,
    purl: purl(one),
    ...cpe(one),
    licenses: [one.licence === undefined ? { license: IN_ITS_TEXT } : { expression: one.licence }],
    ...(digest === "" ? {} : { hashes: [{ alg: ALGORITHMS[algorithm], content: digest }] }),
  };
}

/** What does not say it in its manifest has its terms there. */
const IN_ITS_TEXT = { name: "see /usr/share/doc/bewaard/copyright" };

/** By npm's name of a package with Node in it no list of vulnerabilities knows Node itself. */
function cpe({ name, version }: Carried): object {
  return name.startsWith("node-linux-")
    ? { cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }
    : {};
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha512: "SHA-512",
};

/** Two may carry the same package and version in two places. */
function referenceOf(one: Carried): string {
  return `${purl(one)}#${one.path}`;
}

function purl({ name, version }: Carried): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
