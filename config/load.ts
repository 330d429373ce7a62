import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import type { z } from "zod";
import { BewaardError, systemCode } from "#base/errors";
import { printable } from "#base/printable";
import { nearest } from "./advice.ts";
import { crossings } from "./crossings.ts";
import { type Read, readDocument } from "./document.ts";
import { accepted } from "./mistake.ts";
import { type Policy, policySchema } from "./policy-schema.ts";
import { type Profile, profileSchema } from "./profile-schema.ts";
import {
  type Config,
  configSchema,
  type DeskConfig,
  deskPlacesSchema,
  deskSchema,
} from "./schema.ts";

/**
 * Reads the configuration of a box; the files it names are for `readConfiguration`.
 * @throws BewaardError CONFIG_MISSING, or CONFIG_INVALID with every mistake: line, where, what to write.
 */
export async function readConfig(path: string): Promise<Config> {
  return accepted(await readBox(path));
}

/** The configuration of a box with its mistakes, those between its keys too. */
export async function readBox(path: string): Promise<Read<Config>> {
  const read = await readYaml(path, configSchema);
  const crossed = crossings(read);
  if (crossed.length === 0) return read;
  return { ...read, value: undefined, mistakes: [...read.mistakes, ...crossed] };
}

/** Reads `desk.yaml` of a desk station. */
export async function readDeskConfig(path: string): Promise<DeskConfig> {
  return accepted(await readYaml(path, deskSchema));
}

/**
 * Where a desk that is to be made finds the vault: in the directory at `path`, or, where that ends in `.yaml`, in
 * what the file says under `vault` and `secured`, as a box's file has them.
 */
export async function readDeskPlaces(
  path: string,
): Promise<Pick<DeskConfig, "vault"> & Partial<Pick<DeskConfig, "secured">>> {
  if (!path.endsWith(".yaml")) return { vault: { directory: path } };
  return accepted(await readYaml(path, deskPlacesSchema));
}

/** A shipped policy by name, or one of the site's own by absolute path. As it is, without any annex. */
export async function readPolicy(name: string): Promise<Policy> {
  return accepted(await readYaml(shipped("policies", name), policySchema));
}

/** A shipped camera profile by name, or one of the site's own by absolute path. */
export async function readProfile(name: string): Promise<Profile> {
  try {
    return accepted(await readYaml(shipped("profiles", name), profileSchema));
  } catch (cause) {
    const isMissing = cause instanceof BewaardError && cause.code === "CONFIG_MISSING";
    if (!isMissing || name.startsWith("/")) throw cause;
    throw new BewaardError("CONFIG_MISSING", await notShipped("profiles", name), { cause });
  }
}

/** That nothing of this name is shipped, what was probably meant, and what there is. */
export async function notShipped(folder: "policies" | "profiles", name: string): Promise<string> {
  const files = await readdir(new URL(`./${folder}/`, import.meta.url));
  const names = files.map((file) => file.replace(/\.yaml$/, "")).toSorted();
  const near = nearest(name, names);
  const meant = near === undefined ? "" : ` (did you mean "${near}"?)`;
  return `no ${folder === "policies" ? "policy" : "profile"} of this name is shipped${meant}; there are: ${names.join(", ")}; or name one of your own by its absolute path`;
}

export function shipped(folder: "policies" | "profiles", name: string): string {
  if (name.startsWith("/")) return name;
  if (!/^[a-z0-9-]+$/.test(name)) {
    throw new BewaardError(
      "CONFIG_INVALID",
      `${folder}: "${name}" is neither a shipped name nor a path`,
    );
  }
  return new URL(`./${folder}/${name}.yaml`, import.meta.url).pathname;
}

/** @throws BewaardError CONFIG_MISSING, and CONFIG_INVALID for no text; mistakes are in what it returns. */
export async function readYaml<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<Read<z.output<Schema>>> {
  return readDocument(path, await readText(path), schema);
}

/** A book of post-quantum recipients is 2 KB a day: 8 MiB is ten years of them. */
const LIMIT_BYTES = 8 * 1024 ** 2;

/**
 * Reads a file that is the configuration or that it names. A pipe does not make it wait, and a device
 * that never ends does not fill the memory.
 * @throws BewaardError CONFIG_MISSING when it cannot be read or is no file, CONFIG_INVALID with line and
 * column when it is too large or no text.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  if (bytes.length > LIMIT_BYTES) {
    throw new BewaardError(
      "CONFIG_INVALID",
      `${shown(path)}:1:1: larger than 8 MiB: is it this file?`,
    );
  }
  const text = new TextDecoder().decode(bytes);
  if (isUtf8(bytes)) return text;
  const before = text.slice(0, text.indexOf("\uFFFD"));
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  throw new BewaardError(
    "CONFIG_INVALID",
    `${shown(path)}:${line}:${column}: not UTF-8: save the file as UTF-8`,
  );
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to never ends.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) {
      throw new BewaardError("CONFIG_MISSING", `${shown(path)} is no file: name the file itself`);
    }
    return await readAtMost(file, LIMIT_BYTES + 1);
  } catch (cause) {
    if (cause instanceof BewaardError) throw cause;
    const code = systemCode(cause);
    throw new BewaardError("CONFIG_MISSING", `${shown(path)} cannot be read (${code})`, { cause });
  }
}

function shown(path: string): string {
  return printable(Buffer.from(path));
}

// Not by its length: files of the kernel say 0, and one that is being written grows.
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < limit; ) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(64 * 1024) });
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks);
}
