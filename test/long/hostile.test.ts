import { describe, it } from "mocha";
import { campaign, timed } from "../fakes/campaign.ts";
import { hostileDesk } from "../fakes/hostile-desk.ts";
import { hostileIncoming } from "../fakes/hostile-incoming.ts";

describe("a hostile world", () => {
  it("hands over 10,000 manifests: none stops core, none touches what is kept", async () => {
    await timed("hostile manifests", () => hostileIncoming(campaign(10_000)));
  });

  it("puts 10,000 desk entries that nobody signed: none is obeyed", async () => {
    await timed("hostile desk entries", () => hostileDesk(campaign(10_000)));
  });
});
