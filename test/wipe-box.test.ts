import assert from "node:assert/strict";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { HOUR_MS, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { readSecret } from "../config/secrets.ts";
import type { Ask } from "../daemon/control/client.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { readOrder } from "../daemon/orders/order.ts";
import { ordersPath, originOf } from "../daemon/places.ts";
import { parseNodeKey, parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { CAMERA, named, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { RECORD } from "./fakes/wiping.ts";

const MODIFIED = plus(START, -30 * MINUTE_MS);
const FILE = { path: Buffer.from(named(-30)).toString("base64"), bytes: 5, modifiedAtMs: MODIFIED };

/** A site with one file on the card of its camera. */
async function openFilled(): Promise<Site> {
  const site = await openSite(START, [CAMERA], 3);
  const clip = join(site.demo.docks[CAMERA] ?? "", named(-30));
  await mkdir(dirname(clip), { recursive: true });
  await writeFile(clip, "beeld");
  await utimes(clip, MODIFIED / 1000, MODIFIED / 1000);
  return site;
}

function wiping(site: Site, ask: Ask) {
  const record = { ...RECORD, bootId: site.clock.bootId() };
  return ask("docks.wipe", { docking: ulid(site.clock.now()), record, files: [FILE], others: 0 });
}

describe("a box that is asked over its socket to have a card wiped", function () {
  this.timeout(60_000);

  it("signs an order with the node's key once the vault has what is on it (invariant 1)", async () => {
    await using site = await openFilled();
    const { config } = site.demo;
    await whileRunning(site, async (ask, signal) => {
      assert.equal((await wiping(site, ask)).nonce, null);
      const stored = async () => (await ask("status", {})).states["stored"] === 1;
      assert.ok(await passUntil(site.clock, 5 * SECOND_MS, HOUR_MS, stored, signal));
      const { nonce, waiting, forbidden, why } = await wiping(site, ask);
      assert.deepEqual([waiting, forbidden, why], [0, 0, null]);
      assert.equal((await ask("docks.report", { nonce: nonce ?? "" })).outcome, "open");
    });
    const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
    const [name = ""] = await readdir(ordersPath(config));
    const note = await readFile(join(ordersPath(config), name), "utf8");
    const order = readOrder(parseVerifier(verifierText(key)), note);
    assert.equal(`${order.nonce}.order`, name);
    assert.deepEqual([order.verb, order.slot, order.volume], ["wipe", RECORD.slot, "1A2B-3C4D"]);
  });
});
