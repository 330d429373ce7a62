import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { z } from "zod";

const names = z.record(z.string(), z.string()).default({});
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dependencies: names,
      devDependencies: names,
      optionalDependencies: names,
    }),
  ),
});

/** Where Node would look for `name` from the package at `place`, nearest first. */
function places(place: string, name: string): readonly string[] {
  const above = place.split("/node_modules/").map((_, depth, all) => all.slice(0, depth + 1));
  const nested = above.map((parts) => `${parts.join("/node_modules/")}/node_modules/${name}`);
  return [`node_modules/${name}`, ...nested].toReversed();
}

describe("package-lock.json", () => {
  // npm leaves a package of another platform out when the registry does not answer for it, and
  // calls the file up to date; after that `npm ci` refuses it, on every machine.
  it("holds each package that another one names, for every platform, so that npm ci takes it", async () => {
    const text = await readFile(new URL("../package-lock.json", import.meta.url), "utf8");
    const { packages } = Lock.parse(JSON.parse(text));
    const missing = Object.entries(packages).flatMap(([place, one]) =>
      Object.keys({
        ...one.dependencies,
        ...one.devDependencies,
        ...one.optionalDependencies,
      })
        .filter((name) => !places(place, name).some((where) => where in packages))
        .map((name) => `${name}, named by ${place || "this project"}`),
    );
    assert.deepEqual(missing, []);
  });
});
