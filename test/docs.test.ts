import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { z } from "zod";
import { ERROR_CODES } from "#base/errors";
import { STEPS } from "#base/step";
import { ENTRY_KINDS } from "../storage/ledger/entry.ts";

const list = z.record(z.string(), z.string());
const ROOT = fileURLToPath(new URL("..", import.meta.url));

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), "utf8");
}

function tracked(...patterns: string[]): readonly string[] {
  const out = execFileSync("git", ["ls-files", ...patterns], { cwd: ROOT, encoding: "utf8" });
  return out.trim().split("\n");
}

describe("the documentation", () => {
  it("has a heading in troubleshooting for each error code, and none for codes that are gone", async () => {
    const headings = [...(await read("docs/troubleshooting.md")).matchAll(/^## ([A-Z_]+)$/gm)].map(
      ([, code]) => code,
    );
    assert.deepEqual(new Set(headings), new Set(ERROR_CODES));
  });

  it("has a line for each dependency, and none for one that is gone", async () => {
    const text = await read("docs/dependencies.md");
    const manifest = z
      .object({ dependencies: list, devDependencies: list, optionalDependencies: list })
      .parse(JSON.parse(await read("package.json")));
    const names = Object.values(manifest).flatMap((one) => Object.keys(one));
    assert.ok(names.length > 20);
    for (const name of names) assert.ok(text.includes(`\`${name}\``), `no line for ${name}`);
  });

  it("tells each kind of ledger entry in its format", async () => {
    const text = await read("docs/format.md");
    for (const kind of ENTRY_KINDS) assert.ok(text.includes(`\`${kind}\``), kind);
  });

  it("names each crash step in its procedures", async () => {
    const text = await read("docs/design.md");
    for (const step of STEPS) assert.ok(text.includes(`\`${step}\``), step);
  });

  it("links only to files that are there", async () => {
    for (const file of tracked("*.md")) {
      for (const [, target] of (await read(file)).matchAll(
        /\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g,
      )) {
        await assert.doesNotReject(
          access(join(ROOT, dirname(file), target ?? "")),
          `${file}: ${target}`,
        );
      }
    }
  });

  it("is where the code says it is", async () => {
    for (const file of tracked("*.ts", "*.sql")) {
      for (const [, doc] of (await read(file)).matchAll(/(docs\/[a-z-]+\.md)/g)) {
        await assert.doesNotReject(read(doc ?? ""), `${file} speaks of ${doc}`);
      }
    }
  });
});

describe("the code", () => {
  it("reaches the steps that the crash tests stop at, each in one place", async () => {
    const files = tracked("daemon/*.ts", "storage/*.ts", "daemon/**/*.ts", "storage/**/*.ts");
    const sources = await Promise.all(files.map(read));
    for (const step of STEPS) {
      assert.ok(
        sources.some(
          (source) => source.includes(`step("${step}")`) || source.includes(`"${step}"`),
        ),
        step,
      );
    }
  });

  it("imports a library that needs guarding in one file only, and the S3 SDK in one family of files", async () => {
    const files = tracked("config/**", "daemon/**", "drivers/**", "storage/**").filter((file) =>
      file.endsWith(".ts"),
    );
    const sources = await Promise.all(
      files.map(async (file) => ({ file, text: await read(file) })),
    );
    const usersOf = (library: string): readonly string[] =>
      sources
        .filter(({ text }) => new RegExp(`(?:from|import\\()\\s*"${library}["/]`).test(text))
        .map(({ file }) => file);
    for (const library of [
      "sqlite3",
      "chokidar",
      "shamir-secret-sharing",
      "canonicalize",
      "cli-progress",
      "fluent-ffmpeg",
      "node-onvif",
      "node-unix-socket",
      "prom-client",
    ])
      assert.equal(usersOf(library).length, 1, `${library}: ${usersOf(library).join(", ")}`);
    // And what it brings along: nobody else may meet Smithy either.
    const sdk = usersOf("@(?:aws-sdk|smithy)/[a-z0-9-]+");
    assert.ok(sdk.includes("storage/vault/s3-calls.ts"));
    for (const file of sdk) assert.match(file, /^storage\/vault\/s3-[a-z-]+\.ts$/);
  });
});
