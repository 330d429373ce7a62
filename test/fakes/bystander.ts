import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HoldId, SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import type { HandClock } from "./rig.ts";

// What somebody beside the box knows, who has read docs/time.md and looks at its files, and never at its
// catalog: when each recording is due, what is held, and so what may be gone and what must be.

const SLACK_MS = 5 * MINUTE_MS;
const TERM_MS = 28 * DAY_MS;
const MARGIN_MS = HOUR_MS;
const UNDOCKED_MS = 3 * DAY_MS;
const LOOK_MS = 72 * HOUR_MS;

/** A recording that was handed over. */
interface Recording {
  readonly startedAt: Instant;
  readonly arrivedAt: number;
  readonly arrivedUptimeMs: number;
  readonly bootId: string;
  /** What the sealed file must be, wherever it lies. */
  readonly sha256: string;
  /** Undefined until somebody vouches for the time. */
  dueAt: number | undefined;
  /** As it was seen in the ring or the vault; a duplicate never is. */
  seen: boolean;
  /** It was due, or the ring needed its room, and nothing held it: it may be gone from then on. */
  mayGo: boolean;
}

export interface Bystander {
  readonly held: Map<HoldId, Set<SegmentId>>;
  /** A file was sealed and handed over at this moment. */
  handedOver(id: SegmentId, startedAt: Instant): void;
  /** Somebody vouched for the time. */
  confirmed(): void;
  trusted(): boolean;
  isHeld(id: SegmentId): boolean;
  /** The box has adopted what it was handed, at `now`: it has its term, if time was trusted. */
  adopted(now: Instant, isTrusted: boolean): void;
  /** The box looks for what is due: that may go. Call what is returned when it has come so far. */
  sweeping(): () => void;
  /** The box has copied to the vault and nothing cut it off: what is there now it knows to be there. */
  stored(): void;
  /** The box may give up what the vault has not confirmed. */
  overwriting(): void;
  mayGo(id: SegmentId): boolean;
  /** Nothing held is gone, nothing is gone that may not be. */
  assertKept(why: string): void;
  /** All that is held is in the vault. */
  assertSafe(): void;
  /** Nothing is there any more that was due `graceMs` ago. */
  assertGone(why: string, graceMs: number): void;
}

export function openBystander(
  folder: string,
  clock: HandClock,
  pairedAt: Instant,
  holds: readonly HoldId[],
): Bystander {
  const recordings = new Map<SegmentId, Recording>();
  const held = new Map(holds.map((id) => [id, new Set<SegmentId>()]));
  const confirmed = new Set<string>();
  let believed: { readonly bootId: string; readonly offsetMs: number } | undefined;

  function trusted(): boolean {
    const movedMs = clock.now() - clock.uptimeMs() - (believed?.offsetMs ?? 0);
    // Once lost it comes back only with another word, even when the clock is set right again.
    if (believed?.bootId !== clock.bootId() || Math.abs(movedMs) > SLACK_MS) believed = undefined;
    return believed !== undefined;
  }
  function isHeld(id: SegmentId): boolean {
    return [...held.values()].some((ids) => ids.has(id));
  }
  /** "What 28 days is counted from", of a camera that says its clock is synchronised. */
  function dueOf({ startedAt }: Recording, arrivedAt: number): number {
    const claimed = startedAt + TERM_MS - MARGIN_MS;
    if (startedAt >= pairedAt - TERM_MS && startedAt <= arrivedAt + SLACK_MS) return claimed;
    const unknown = arrivedAt + TERM_MS - UNDOCKED_MS - MARGIN_MS;
    return claimed > arrivedAt ? unknown : Math.min(arrivedAt + LOOK_MS, unknown);
  }
  /** In the same start of the machine the arrival follows from uptime; after another it counts as now. */
  function arrivalOf({ bootId, arrivedUptimeMs }: Recording): number {
    if (bootId !== clock.bootId()) return clock.now();
    return clock.now() - (clock.uptimeMs() - arrivedUptimeMs);
  }
  /** The same bytes of the same file, which are kept once. */
  function wasKept(one: Recording): boolean {
    return recordings.values().some(({ seen, startedAt }) => seen && startedAt === one.startedAt);
  }
  function seenNow(): ReadonlySet<string> {
    return new Set(sealedIn(folder).map(({ id }) => id));
  }
  function inVault(): readonly string[] {
    return sealedIn(folder).flatMap(({ id, place }) => (place === "vault" ? [id] : []));
  }
  return {
    held,
    trusted,
    isHeld,
    confirmed() {
      believed = { bootId: clock.bootId(), offsetMs: clock.now() - clock.uptimeMs() };
    },
    handedOver(id, startedAt) {
      recordings.set(id, {
        startedAt,
        arrivedAt: clock.now(),
        arrivedUptimeMs: clock.uptimeMs(),
        bootId: clock.bootId(),
        sha256: sha256Of(join(folder, "spool", "incoming", "dock", `${id}.age`)),
        dueAt: undefined,
        seen: false,
        mayGo: false,
      });
    },
    adopted(now, isTrusted) {
      const seen = seenNow();
      for (const [id, one] of [...recordings].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (one.seen || !seen.has(id) || wasKept(one)) continue;
        one.seen = true;
        if (isTrusted) one.dueAt = dueOf(one, Math.min(one.arrivedAt, now));
      }
    },
    sweeping() {
      if (!trusted()) return () => undefined;
      const reckoned = [...recordings]
        .filter(([, { seen }]) => seen)
        .map(([id, one]) => ({ id, one, dueAt: one.dueAt ?? dueOf(one, arrivalOf(one)) }));
      for (const { id, one, dueAt } of reckoned) {
        if (dueAt <= clock.now() && !isHeld(id)) one.mayGo = true;
      }
      return () => {
        for (const { one, dueAt } of reckoned) one.dueAt = dueAt;
      };
    },
    stored() {
      // A vault that is away confirms nothing, also not what reached it just before a crash.
      if (existsSync(join(folder, "vault-away"))) return;
      for (const id of inVault()) confirmed.add(id);
    },
    overwriting() {
      if (!trusted()) return;
      for (const [id, one] of recordings) if (!isHeld(id) && !confirmed.has(id)) one.mayGo = true;
    },
    mayGo: (id) => recordings.get(id)?.mayGo === true,
    assertKept(why) {
      const files = sealedIn(folder);
      for (const [id, { seen, mayGo, sha256 }] of recordings) {
        if (!seen || (mayGo && !isHeld(id))) continue;
        const there = files.filter((file) => file.id === id);
        assert.ok(there.length > 0, `${why}: ${id} is nowhere${isHeld(id) ? ", and is held" : ""}`);
        for (const { path } of there) assert.equal(sha256Of(path), sha256, `${why}: ${path}`);
      }
    },
    assertSafe() {
      const stored = new Set(inVault());
      for (const [id, { seen }] of recordings) {
        assert.ok(!seen || !isHeld(id) || stored.has(id), `${id} is held and not in the vault`);
      }
    },
    assertGone(why, graceMs) {
      const seen = seenNow();
      for (const [id, { dueAt }] of recordings) {
        if (dueAt === undefined || dueAt > clock.now() - graceMs || isHeld(id)) continue;
        assert.ok(!seen.has(id), `${why}: ${id} is still there`);
      }
    },
  };
}

interface SealedCopy {
  readonly id: string;
  readonly place: "spool" | "vault";
  readonly path: string;
}

/** Every whole sealed file in the ring and in the vault, be it away or not. */
function sealedIn(folder: string): readonly SealedCopy[] {
  return ["spool/segments", "vault/footage", "vault-away/footage"].flatMap((root) =>
    filesUnder(join(folder, root)).flatMap((entry): SealedCopy[] => {
      const path = join(entry.parentPath, entry.name);
      const [, id] =
        /([0-7][0-9A-HJKMNP-TV-Z]{25})\.age(?:~\/[0-9A-Z]{26}\/body)?$/.exec(path) ?? [];
      return id === undefined
        ? []
        : [{ id, place: root.startsWith("spool") ? "spool" : "vault", path }];
    }),
  );
}

function filesUnder(root: string): readonly Dirent[] {
  try {
    const found = readdirSync(root, { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile());
  } catch {
    return [];
  }
}

function sha256Of(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
