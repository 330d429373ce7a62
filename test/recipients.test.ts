import assert from "node:assert/strict";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { DAY_MS, dayOf, plus } from "#base/time";
import { parseRecipientBook, recipientFor } from "../storage/seal/recipients.ts";
import { START } from "./fakes/rig.ts";

const KEY = await identityToRecipient(await generateX25519Identity());

/** A book with an identity for each of these days, counted from the first. */
function bookOf(...days: number[]) {
  return parseRecipientBook(
    days.map((day) => `${dayOf(plus(START, day * DAY_MS))} ${KEY}\n`).join(""),
  );
}

describe("the book of recipients", () => {
  it("names the line that is no day and recipient, and never shows what stands there", () => {
    for (const line of [
      "2026-11-22 age1nokey",
      "2026-02-30 " + KEY,
      "22-11-2026 " + KEY,
      KEY,
      "2026-11-22 AGE-SECRET-KEY-1Q",
    ]) {
      assert.throws(() => parseRecipientBook(`# book\n\n2026-11-21 ${KEY}\n${line}\n`), {
        code: "RECIPIENT_INVALID",
        message: 'recipients line 4: write a UTC day and its recipient, "2026-11-22 age1…"',
      });
    }
  });

  it("without an identity for a day seals for the next one it has, and after the end for the last", () => {
    const book = bookOf(0, 1, 4, 5);
    const sealedOn = (day: number) => recipientFor(book, dayOf(plus(START, day * DAY_MS))).day;
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 400].map(sealedOn), [
      "2026-06-01",
      "2026-06-02",
      "2026-06-05",
      "2026-06-05",
      "2026-06-05",
      "2026-06-06",
      "2026-06-06",
      "2026-06-06",
    ]);
  });
});
