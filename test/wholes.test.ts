import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "mocha";
import { untakeable } from "../drivers/camera/boxes.ts";
import { wholes } from "../drivers/camera/wholes.ts";

/** Lines, of which "bad" is refused. */
function lines() {
  let begun = "";
  return (bytes: Uint8Array, give: (line: string) => void): void => {
    const all = (begun + Buffer.from(bytes).toString("latin1")).split("\n");
    begun = all.pop() ?? "";
    for (const line of all) {
      if (line === "bad") throw untakeable("bad");
      give(line);
    }
  };
}

async function* seen(all: AsyncIterable<string>, into: string[]): AsyncGenerator<string> {
  for await (const one of all) {
    into.push(one);
    yield one;
  }
}

describe("a stream that is taken apart as it comes", () => {
  it("gives what is whole, whatever pieces it comes in, and ends with the stream", async () => {
    const stream = new PassThrough();
    for (const part of ["on", "e\ntwo\nth", "ree\nfo"]) stream.write(part);
    stream.end();
    assert.deepEqual(await Array.fromAsync(wholes(stream, lines())), ["one", "two", "three"]);
  });

  it("gives all that was whole before it says what is wrong, and lets go of the stream", async () => {
    for (const wrong of ["what came", "the stream"]) {
      const stream = new PassThrough();
      stream.write(wrong === "what came" ? "one\ntwo\nbad\nthree\n" : "one\ntwo\n");
      const taken: string[] = [];
      const reading = (async () => {
        for await (const line of seen(wholes(stream, lines()), taken)) {
          if (wrong === "the stream" && line === "two") stream.destroy(untakeable("bad"));
        }
      })();
      await assert.rejects(reading, { code: "CAMERA_STREAM" }, wrong);
      assert.deepEqual([taken, stream.destroyed], [["one", "two"], true], wrong);
    }
  });

  it("ends, or says what is wrong, where it had before it was read", async () => {
    const ended = new PassThrough().end().resume();
    const failed = new PassThrough();
    failed.once("error", () => undefined).destroy(untakeable("bad"));
    await setImmediate();
    assert.deepEqual(await Array.fromAsync(wholes(ended, lines())), []);
    await assert.rejects(Array.fromAsync(wholes(failed, lines())), { code: "CAMERA_STREAM" });
  });

  it("is let go of by whoever wants no more", async () => {
    const stream = new PassThrough();
    stream.write("one\ntwo\n");
    for await (const line of wholes(stream, lines())) if (line === "one") break;
    assert.equal(stream.destroyed, true);
  });

  it("is not read on while whoever takes it is far behind, and is after that", async () => {
    const stream = new PassThrough({ highWaterMark: 64 });
    const reading = wholes(stream, lines())[Symbol.asyncIterator]();
    const next = reading.next();
    let written = 0;
    while (stream.write(`${written}\n`) && written < 10_000) {
      written += 1;
      if (written % 10 === 0) await setImmediate();
    }
    assert.ok(written > 60 && written < 300, `${written} lines were taken`);
    assert.equal((await next).value, "0");
    for (let line = 1; line <= written; line += 1)
      assert.equal((await reading.next()).value, `${line}`);
    stream.end("end\n");
    assert.deepEqual((await reading.next()).value, "end");
    assert.equal((await reading.next()).done, true);
  });
});
