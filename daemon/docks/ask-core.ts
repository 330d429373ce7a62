import type { AskForDock } from "../control/producers.ts";
import type { Result } from "../control/protocol.ts";
import type { DockCore } from "./dock-core.ts";
import type { SlotWhy } from "./slot-why.ts";

/** Core, asked over its socket. */
export function dockCore(ask: AskForDock): DockCore {
  return {
    pairings: async () => (await ask("docks.pairings", {})).cameras,
    news: async (slots) => void (await ask("docks.news", { slots: [...slots] })),
    async wipe({ docking, record, files, others, readAgain }) {
      const listed = files.map(({ path, bytes, modifiedAt }) => ({
        path: path.toString("base64"),
        bytes,
        modifiedAtMs: modifiedAt,
      }));
      const answer = await ask("docks.wipe", { docking, record, files: listed, others });
      readAgain(answer.again);
      return whyStill(answer);
    },
    async setTime({ docking, record, offsetMs }) {
      const { state, why } = await ask("docks.set-time", { docking, record, offsetMs });
      switch (state) {
        case "none":
        case "done":
          return { why: null, over: true };
        case "open":
          return { why: "setting-clock", over: false };
        case "failed":
          return { why: "clock-not-set", over: false };
        case "later":
          return { why: why === "clock" ? "clock-not-set-now" : null, over: false };
        default:
          return state satisfies never;
      }
    },
  };
}

/** What a safe card waits for, out of what core answered. */
function whyStill({ nonce, why, waiting, forbidden }: Result<"docks.wipe">): SlotWhy | null {
  if (nonce !== null) return "wiping";
  switch (why) {
    case "write-protected":
      return "write-protected";
    case "never":
    case "not-a-disk":
    case "not-docked":
      return "not-wiped-here";
    case "clock":
    case "history":
      return "not-wiped-now";
    case null:
      if (waiting > 0) return "waits-for-vault";
      return forbidden > 0 ? "stays-on-card" : null;
    default:
      return why satisfies never;
  }
}
