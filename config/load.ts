import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { BewaardError, systemCode } from "#base/errors";
import {
  type Config,
  configSchema,
  type DeskConfig,
  deskSchema,
  type Policy,
  type Profile,
  policySchema,
  profileSchema,
} from "./schema.ts";

/**
 * Reads the configuration of a box.
 * @throws BewaardError CONFIG_MISSING, or CONFIG_INVALID with every mistake: line, where, what to write.
 */
export function readConfig(path: string): Promise<Config> {
  return readYaml(path, configSchema);
}

/** Reads `desk.yaml` of a desk station. */
export function readDeskConfig(path: string): Promise<DeskConfig> {
  return readYaml(path, deskSchema);
}

/** A shipped policy by name, or one of the site's own by absolute path. */
export function readPolicy(name: string): Promise<Policy> {
  return readYaml(shipped("policies", name), policySchema);
}

/** A shipped camera profile by name, or one of the site's own by absolute path. */
export function readProfile(name: string): Promise<Profile> {
  return readYaml(shipped("profiles", name), profileSchema);
}

function shipped(folder: string, name: string): string {
  if (name.startsWith("/")) return name;
  if (!/^[a-z0-9-]+$/.test(name)) {
    throw new BewaardError(
      "CONFIG_INVALID",
      `${folder}: "${name}" is neither a shipped name nor a path`,
    );
  }
  return new URL(`./${folder}/${name}.yaml`, import.meta.url).pathname;
}

async function readYaml<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(await readText(path), { lineCounter: lines });
  const [mistake] = document.errors;
  if (mistake) {
    const line = mistake.linePos?.[0].line ?? 1;
    throw new BewaardError(
      "CONFIG_INVALID",
      `${path}:${line}: not YAML: ${firstLine(mistake.message)}`,
    );
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const line = lineOf(document, [...issue.path, ...keys], lines);
    return `${path}:${line}: ${issue.path.join(".") || "top"}: ${issue.message}`;
  });
  throw new BewaardError("CONFIG_INVALID", mistakes.join("\n"));
}

/** The line of the value at `where`, or of the nearest one around it that exists. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  where: readonly PropertyKey[],
  lines: LineCounter,
): number {
  for (let depth = where.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(where.slice(0, depth), true);
    if (isPlaced(node)) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function isPlaced(node: unknown): node is { range: [number, number, number] } {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}

/** Reads a file the configuration names. @throws BewaardError CONFIG_MISSING. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = systemCode(cause);
    throw new BewaardError("CONFIG_MISSING", `${path} cannot be read (${code})`, { cause });
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
