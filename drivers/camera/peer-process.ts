import { readdir, readFile, readlink } from "node:fs/promises";
import type { Socket } from "node:net";
import { endianness } from "node:os";
import { systemCode } from "#base/errors";

/** As /proc/net/tcp writes 127.0.0.1: in the order of this machine's bytes. */
const LOOPBACK = endianness() === "LE" ? "0100007F" : "7F000001";

/** Who holds the other end of a connection; `nobody` when that has been closed. */
export type Holder = "it" | "another" | "nobody";

/**
 * Whether the process `pid`, of the same user, holds the other end of `socket`, a connection from 127.0.0.1 to
 * 127.0.0.1. Of every connection the kernel says the inode, and of every process those it has open.
 */
export async function holderOf(socket: Socket, pid: number): Promise<Holder> {
  const { remoteAddress, remotePort = 0, localPort = 0 } = socket;
  if (remoteAddress !== "127.0.0.1") return "another";
  const ends = [remotePort, localPort].map((port) => `${LOOPBACK}:${hex(port)}`);
  const inode = await inodeOf(ends);
  if (inode === undefined) return "nobody";
  if ((await openBy(pid)).has(`socket:[${inode}]`)) return "it";
  // It may have ended in between.
  return (await inodeOf(ends)) === inode ? "another" : "nobody";
}

async function inodeOf(ends: readonly string[]): Promise<string | undefined> {
  // Of this process: the system's own table is of the namespace that is asked from.
  const table = await readFile("/proc/self/net/tcp", "latin1");
  for (const line of table.split("\n")) {
    const [, local, remote, , , , , , , inode] = line.trim().split(/ +/);
    if (local === ends[0] && remote === ends[1]) return inode === "0" ? undefined : inode;
  }
  return undefined;
}

async function openBy(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const found = new Set<string>();
  for (const name of (await unlessGone(readdir(folder))) ?? []) {
    found.add((await unlessGone(readlink(`${folder}/${name}`))) ?? "");
  }
  return found;
}

/** Undefined when the process ends or closes it just now, or is another user's by now. */
async function unlessGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (!["ENOENT", "ESRCH", "EACCES"].includes(systemCode(error) ?? "")) throw error;
    return undefined;
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
