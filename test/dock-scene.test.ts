import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { dockScene } from "../daemon/demo/dock-scene.ts";
import type { Show } from "../daemon/demo/show.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, NEVER } from "./fakes/rig.ts";

describe("two cameras in slots", () => {
  it("unknown, paired, pulled out too early and docked elsewhere, end stored once and empty, by core, dock and helper as they are (DH-01, DH-07)", async () => {
    await using folder = await temporaryFolder();
    const seen: string[] = [];
    const said: string[] = [];
    const show: Show = {
      say: (line) => void seen.push(line),
      table: () => undefined,
      expect(what, expectation) {
        assert.equal(expectation.seen, expectation.expected, `${what}\n${seen.join("\n")}`);
        seen.push(what);
      },
      end: () => true,
    };
    await dockScene(folder.path, capturedEvents(said), show, NEVER);
    assert.ok(seen.some((line) => line.includes("veilig, leeg, klaar")));
    for (const event of ["file-left", "quarantined", "wipe-failed", "card-record-refused"])
      assert.ok(!said.includes(event), event);
    for (const event of ["slot-failed", "slot-safe", "slot-done", "wiped"])
      assert.ok(said.includes(event), event);
  });
});
