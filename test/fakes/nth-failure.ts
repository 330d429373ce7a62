import assert from "node:assert/strict";
import { failingDatabase, failingFiles, openFaults } from "./faults.ts";
import { inlinePool } from "./inline-pool.ts";
import { openRig } from "./rig.ts";
import { assertConverged, liveOnce } from "./small-life.ts";

/** What is made to fail, and how. */
export type Fault = { readonly calls: "files" | "statements"; readonly code: string };

export const FAULTS: readonly Fault[] = [
  { calls: "files", code: "ENOSPC" },
  { calls: "files", code: "EIO" },
  { calls: "files", code: "EINTR" },
  { calls: "statements", code: "CATALOG_FULL" },
  { calls: "statements", code: "CATALOG_IO" },
];

/**
 * Lets the n-th call of a whole life fail, then lives again without failure, and asserts that nothing
 * remains of it. False when the life had fewer calls than that: every one of them has failed by then.
 */
export async function lifeWithFailure(nth: number, { calls, code }: Fault): Promise<boolean> {
  const faults = openFaults();
  await using rig = await openRig({
    database: ":memory:",
    pool: inlinePool(),
    wrap: (database) => (calls === "statements" ? failingDatabase(database, faults) : database),
  });
  let came = false;
  {
    using _failing = calls === "files" ? await failingFiles(faults) : undefined;
    faults.arm(nth, code);
    // An error the program has no word for ends its process; it is started again below.
    await liveOnce(rig);
    came = faults.disarm();
  }
  // Twice: what was taken only after the failure is stored a turn later.
  const unforeseen = [...(await liveOnce(rig)), ...(await liveOnce(rig))];
  assert.deepEqual(unforeseen, [], `${calls} ${nth} ${code}`);
  await assertConverged(rig, `${calls} ${nth} ${code}`);
  return came;
}
