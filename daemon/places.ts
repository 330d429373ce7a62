import { join } from "node:path";
import type { Config, Policy } from "../config/schema.ts";
import type { Device } from "../storage/catalog/devices.ts";
import type { Box } from "./adopt.ts";
import type { DeskOf } from "./heed.ts";
import type { RingLimits } from "./ring.ts";

// What the loops are given, out of the configuration: each gets its few values, none gets it whole.

export function catalogPath(config: Config): string {
  return join(config.state, "catalog.db");
}

/** Where a sealed archive waits until the vault has it. */
export function archivePath(config: Config): string {
  return join(config.state, "archive.age");
}

export function socketPath(config: Config): string {
  return join(config.state, "control.sock");
}

/** The ledger's name in checkpoints, and the name of the node's key. */
export function originOf(config: Config): string {
  return `bewaard/${config.site.name}/${config.node}`;
}

export function boxOf(config: Config, policy: Policy): Box {
  return {
    node: config.node,
    term: { termMs: policy.retention, longestUndockedMs: policy.longest_undocked },
    producers: [{ name: "dock", owner: process.getuid?.() ?? 0 }],
  };
}

export function ringLimits({ spool }: Config): RingLimits {
  return { limitBytes: spool.limit, keepFreeBytes: spool.keep_free };
}

export function deskOf(config: Config): DeskOf {
  return { site: config.site.name, demo: config.site.demo, signersPath: config.desk_signers };
}

export function bodycams(config: Config): readonly Omit<Device, "emptiedAt">[] {
  return config.bodycams.map(({ number, paired }) => ({
    id: number,
    kind: "bodycam",
    pairedAt: paired,
  }));
}
