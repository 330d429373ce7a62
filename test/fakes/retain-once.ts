import { type HeedDesk, retain } from "../../daemon/retain.ts";
import type { Rig } from "./rig.ts";
import { turns } from "./turns.ts";

type Retained = Pick<
  Rig,
  "askHistory" | "box" | "clock" | "database" | "events" | "spool" | "vault"
>;

/** Has the loop that destroys what is due turn once, or `times`; the desk was read and had nothing, where `heed` is not said. */
export async function retainOnce(
  { clock: rigs, events, database, spool, vault, box, askHistory }: Retained,
  times = 1,
  heed: HeedDesk = async () => true,
): Promise<void> {
  const { clock, signal } = turns(rigs, times);
  const { node, term } = box;
  await retain(clock, events, database, spool, vault, node, term, heed, askHistory, signal);
}
