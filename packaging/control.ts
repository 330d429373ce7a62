import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Processor } from "./carried.ts";

/** Debian's names of processors. */
export const ARCHITECTURES = { arm64: "arm64", x64: "amd64" } as const satisfies Record<
  Processor,
  string
>;

/** Who answers for a package is whoever gives it out, and says so. That nobody did is better seen than an address that is nobody's. */
export const NO_MAINTAINER = "not named <nobody@bewaard.invalid>";

// Debian 12 is the oldest that it is made for: its versions are the floor.
const DEPENDS = [
  "libc6 (>= 2.36)",
  "libgcc-s1",
  "libstdc++6 (>= 12)",
  "age",
  "ffmpeg",
  "openssh-client",
  "openssl",
  "systemd (>= 252)",
  "udev",
];
const NEWEST = { GLIBC: [2, 36], GLIBCXX: [3, 4, 30] } as const;

interface Described {
  readonly version: string;
  readonly processor: Processor;
  readonly bytes: number;
  readonly maintainer: string;
}

/** DEBIAN/control: what apt is told of the package. */
export function control({ version, processor, bytes, maintainer }: Described): string {
  return `Package: bewaard
Version: ${version}
Architecture: ${ARCHITECTURES[processor]}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${DEPENDS.join(", ")}
Recommends: jmtpfs
Suggests: chrony, libmtp-runtime, python3
Section: admin
Priority: optional
Description: keeps footage of bodycams and building cameras sealed, and proves it
 Footage of municipal bodycams and building cameras is hashed and encrypted as
 it comes in, kept for at most 28 days in a folder or in a bucket inside the
 EEA, and destroyed then, unless it is held for an incident. A signed ledger
 outside the machine proves all of that.
 .
 bewaard recognises, counts and edits nothing, and cannot open what it keeps.
 It brings the Node.js that it runs on.
`;
}

/** Refuses a program that would not start on Debian 12: compiled by this machine, which is newer. */
export async function checkSymbols(path: string): Promise<void> {
  const text = await readFile(path, "latin1");
  for (const [, library = "", version = ""] of text.matchAll(/\b(GLIBC(?:XX)?)_(\d+(?:\.\d+)+)\0/g))
    if (library in NEWEST && isNewer(version, NEWEST[library === "GLIBC" ? "GLIBC" : "GLIBCXX"]))
      throw new Error(`${path} needs ${library}_${version}: make the package on Debian 12`);
}

function isNewer(version: string, than: readonly number[]): boolean {
  const numbers = version.split(".").map(Number);
  const at = numbers.findIndex((number, index) => number !== (than[index] ?? 0));
  return at >= 0 && (numbers[at] ?? 0) > (than[at] ?? 0);
}

/** DEBIAN/md5sums: what `dpkg --verify` compares with, in order of name. */
export async function md5sums(root: string, files: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const name of files) {
    const digest = createHash("md5")
      .update(await readFile(join(root, name)))
      .digest("hex");
    lines.push(`${digest}  ${name}\n`);
  }
  return lines.join("");
}
