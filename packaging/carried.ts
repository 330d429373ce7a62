import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** Which processor a package is for, as Node calls it. */
export type Processor = "arm64" | "x64";

const names = z.record(z.string(), z.string()).optional();
// npm writes one name as text, and more as a list.
const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]).optional();

const lockedSchema = z.looseObject({
  version: z.string(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  dependencies: names,
  optionalDependencies: names,
  os: oneOrMore,
  cpu: oneOrMore,
  libc: oneOrMore,
});
const lockSchema = z.looseObject({ packages: z.record(z.string(), lockedSchema) });

/** A package of npm that goes into ours. */
export interface Carried {
  /** Where it is in the project: node_modules/a/node_modules/b. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as it states itself. */
  readonly licence: string | undefined;
  /** Of what the registry serves: algorithm, dash, base64. */
  readonly integrity: string | undefined;
  /** Paths of what it needs, in order. */
  readonly needs: readonly string[];
}

/** What sqlite3 is compiled or fetched with; bewaard runs without. */
const ONLY_TO_COMPILE = new Set(["node-addon-api", "node-gyp", "prebuild-install", "tar"]);

/**
 * Everything of npm that runs in production on `processor`, in order of path, as package-lock.json fixes it: what the project
 * depends on, and what that depends on. Throws where one of them has no digest there, or is not installed.
 */
export async function carriedPackages(
  top: string,
  processor: Processor,
): Promise<readonly Carried[]> {
  const text = await readFile(join(top, "package-lock.json"), "utf8");
  const { packages } = lockSchema.parse(JSON.parse(text));
  const found = new Map<string, Carried>();
  const wanted = needsOf(packages, "", processor);
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    const locked = packages[path];
    if (found.has(path) || locked === undefined) continue;
    const needs = needsOf(packages, path, processor);
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const { version, license: licence, integrity } = locked;
    found.set(path, { path, name, version, licence, integrity, needs });
    wanted.push(...needs);
  }
  const carried = [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const unserved = carried.find(({ integrity }) => integrity === undefined);
  if (unserved !== undefined)
    throw new Error(
      `none for ${processor}: ${unserved.name} ${unserved.version} has no digest in package-lock.json, because the registry did not serve it`,
    );
  const away = carried.find(({ path }) => !existsSync(join(top, path)));
  if (away !== undefined)
    throw new Error(`none for ${processor}: ${away.path} is not installed (node setup.mjs, there)`);
  return carried;
}

type Locked = Readonly<Record<string, z.infer<typeof lockedSchema>>>;

function needsOf(packages: Locked, path: string, processor: Processor): string[] {
  const { dependencies, optionalDependencies } = packages[path] ?? {};
  const needed = Object.keys({ ...dependencies, ...optionalDependencies })
    // Types are for who writes, not for who runs.
    .filter((name) => !ONLY_TO_COMPILE.has(name) && !name.startsWith("@types/"))
    .map((name) => ({ name, at: placeOf(packages, path, name) }));
  return needed
    .flatMap(({ name, at }) => {
      if (at !== undefined) return isFor(packages[at], processor) ? [at] : [];
      if (optionalDependencies?.[name] !== undefined) return [];
      throw new Error(`${name}, which ${path} needs, is not in package-lock.json`);
    })
    .toSorted();
}

/** Where Node finds `name` from `path`: the nearest node_modules going up. */
function placeOf(packages: Locked, path: string, name: string): string | undefined {
  const above = path === "" ? [] : path.split("/node_modules/");
  for (let depth = above.length; depth >= 0; depth--) {
    const last = depth === 0 ? `node_modules/${name}` : name;
    const at = [...above.slice(0, depth), last].join("/node_modules/");
    if (packages[at] !== undefined) return at;
  }
  return undefined;
}

function isFor(locked: Locked[string] | undefined, processor: Processor): boolean {
  const { os = ["linux"], cpu = [processor], libc = ["glibc"] } = locked ?? {};
  return os.includes("linux") && cpu.includes(processor) && libc.includes("glibc");
}
