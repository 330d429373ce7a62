import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { discover } from "../drivers/camera/onvif-discover.ts";
import { openResponder, probeMatch } from "./fakes/discovery-responder.ts";
import { NEVER } from "./fakes/rig.ts";

/** What is found when `answers` come back to each of two probes; and what was sent. */
async function finding(answers: (question: string) => Iterable<string>) {
  await using responder = await openResponder(answers);
  const to = { address: "127.0.0.1", port: responder.port };
  const found = await discover(systemClock, { from: "127.0.0.1", to }, NEVER);
  return { found, heard: responder.heard };
}

describe("looking for cameras", function () {
  this.timeout(60_000);

  it("finds each once, with what it calls itself, and tells nobody a login", async () => {
    const { found, heard } = await finding((question) => [
      probeMatch(question, {}),
      probeMatch(question, { urn: "urn:uuid:2", name: "50%" }),
    ]);
    assert.deepEqual(found, [
      {
        address: "127.0.0.1",
        urn: "urn:uuid:1",
        name: "Balie cam",
        hardware: "M1",
        onvif: "http://127.0.0.1/onvif/device_service",
        foreign: 0,
      },
      {
        address: "127.0.0.1",
        urn: "urn:uuid:2",
        name: "50%",
        hardware: "M1",
        onvif: "http://127.0.0.1/onvif/device_service",
        foreign: 0,
      },
    ]);
    assert.equal(heard.length, 2);
    assert.ok(heard.every((text) => !/Security|Username/i.test(text)));
  });

  it("takes an address of the one that answered, and of no other", async () => {
    const { found } = await finding((question) => [
      probeMatch(question, {
        xaddrs:
          "http://10.9.9.9/x http://camera.example/x ftp://127.0.0.1/x http://u:p@127.0.0.1/x http://127.0.0.1:81/onvif?x=1",
      }),
      probeMatch(question, { urn: "urn:uuid:2", xaddrs: "http://169.254.169.254/latest" }),
    ]);
    assert.deepEqual(
      found.map(({ onvif, foreign }) => [onvif, foreign]),
      [
        ["http://127.0.0.1:81/onvif", 4],
        [null, 1],
      ],
    );
  });

  it("does not mind garbage, floods, bombs, and answers to what nobody asked", async () => {
    const { found } = await finding(function* (question) {
      yield probeMatch("urn:uuid:nobody", {});
      yield "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>";
      yield "<a>".repeat(10_000);
      yield "<s:Envelope/>";
      for (let i = 0; i < 90; i += 1) yield probeMatch(question, { urn: `urn:${i}` });
    });
    // At most 64 answers of one address.
    assert.equal(found.length, 64);
  });

  it("hears a camera behind a flood from many addresses", async () => {
    const senders = await Promise.all(
      [2, 3, 4, 5, 6].map(async (last) => {
        const socket = createSocket("udp4");
        await promisify((done: () => void) => socket.bind(0, `127.0.0.${last}`, done))();
        return socket;
      }),
    );
    await using real = await openResponder(
      (question) => [probeMatch(question, {})],
      async (to) => {
        for (const sender of senders)
          for (let i = 0; i < 64; i += 1) sender.send("x", to.port, to.address);
        await systemClock.sleep(300, NEVER);
      },
    );
    const to = { address: "127.0.0.1", port: real.port };
    const found = await discover(systemClock, { from: undefined, to }, NEVER);
    for (const sender of senders) sender.close();
    assert.equal(found.length, 1);
  });

  it("ends after three seconds, and finds nothing where nobody is", async () => {
    const before = systemClock.uptimeMs();
    assert.deepEqual((await finding(() => [])).found, []);
    assert.ok(systemClock.uptimeMs() - before < 20_000);
  });
});
