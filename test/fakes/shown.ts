import { shownFound } from "../../daemon/cli/shown-found.ts";
import { parseWindow } from "../../daemon/cli/window.ts";
import type { Result } from "../../daemon/control/protocol.ts";

/** What `find` tells of `found` on a day of the test. */
export function shown(found: Partial<Result<"find">>): string {
  const nothing = { segments: [], gaps: [], left: [], more: null, knownFrom: null, places: [] };
  const window = parseWindow({ date: "2026-06-20" });
  return shownFound({ ...nothing, ...found }, window, { camera: undefined, place: undefined });
}
