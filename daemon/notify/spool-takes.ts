import { probeSpool } from "../../storage/spool/probe.ts";
import type { Role, Spool } from "../../storage/spool/spool.ts";
import type { Condition } from "./attendant.ts";

/** What is sealed can be written, and lasts. */
export function spoolTakes(spool: Spool, role: Role): Condition {
  return {
    what: "the spool takes files",
    holds: async () => {
      await probeSpool(spool, role);
      return true;
    },
  };
}
