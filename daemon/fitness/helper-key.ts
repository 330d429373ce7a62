import { readFile } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { readTrusted } from "#base/trusted-file";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secrets.ts";
import {
  type NodeKey,
  parseNodeKey,
  parseVerifier,
  verifierText,
} from "../../storage/ledger/note.ts";
import { readPairedList } from "../orders/paired-list.ts";
import { originOf, pairedNotePath } from "../places.ts";
import { fit, type Machine, type Seen } from "./seen.ts";

const VERIFIER_BYTES = 4096;

/**
 * Whether the root helper believes the key that this box signs with. Without that no camera in a slot is read, and no
 * order is carried out. @throws BewaardError HELPER_KEY where it does not.
 */
export async function lookAtHelperKey({ config, helper }: Machine): Promise<readonly Seen[]> {
  if (config.site.demo) return [fit("een demo heeft er geen nodig", "a demo needs none")];
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  if (helper.serves !== undefined && helper.serves !== config.state)
    return [await unserved(config, key)];
  const known = await readTrusted(helper.verifier, [helper.owner], VERIFIER_BYTES);
  if (known === "absent") {
    const paired = await pairedIn(pairedNotePath(config), key);
    if (paired === 0)
      return [fit("niet ingericht: geen slots", "not installed: nothing is read in slots")];
    throw helperKey(`${helper.verifier} is not there, and ${paired} cameras are paired`);
  }
  if (known === "untrusted") throw helperKey(`${helper.verifier} is not root's alone to write`);
  if (known.toString().trim() !== verifierText(key))
    throw helperKey(`${helper.verifier} is another key than ${originOf(config)}`);
  return [fit("de sleutel van deze kast", "this box's own")];
}

/** The helper reads for one box of a machine: that of a tenant has its cameras on walls, and folders. */
async function unserved(config: Config, key: NodeKey): Promise<Seen> {
  const paired = await pairedIn(pairedNotePath(config), key);
  if (paired === 0) return fit("leest hier geen slots", "reads no slots for this box");
  throw helperKey(`reads slots for another box of this machine, and ${paired} cameras are paired`);
}

/** How many cameras the helper would read by the list that core left for it. */
async function pairedIn(path: string, key: NodeKey): Promise<number> {
  try {
    const list = readPairedList(parseVerifier(verifierText(key)), await readFile(path, "utf8"));
    return list.cameras.length;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    // Signed with an earlier key: core writes it anew at its next start.
    if (error instanceof BewaardError && error.code === "ORDER_REFUSED") return 0;
    throw error;
  }
}

function helperKey(why: string): BewaardError {
  return new BewaardError("HELPER_KEY", `${why}: run \`bewaard setup\` again, as root`);
}
