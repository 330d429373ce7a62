import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import DeviceService from "node-onvif/lib/modules/service-device.js";
import { BewaardError } from "#base/errors";
import { deviceService, readXml } from "../drivers/camera/onvif-library.ts";
import { guardXml } from "../drivers/camera/xml-guard.ts";
import { openOnvifDevice } from "./fakes/onvif-device.ts";

/** What reading `xml` ends with: a code, or "read". */
async function reading(xml: string): Promise<string> {
  try {
    await readXml(xml);
    return "read";
  } catch (error) {
    if (error instanceof BewaardError) return error.code;
    throw error;
  }
}

const nested = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);

describe("node-onvif", () => {
  it("sends nothing by itself, not even for an object that did not come from us", async () => {
    await using device = await openOnvifDevice({ login: "none" });
    const theirs = new DeviceService({ xaddr: device.url });
    await assert.rejects(theirs.getDeviceInformation(), /went past the transport/);
    assert.deepEqual(device.asked, []);
  });

  it("is given no login to write, and prints nothing prettily", async () => {
    const sent: string[] = [];
    const service = deviceService("http://127.0.0.1/", async (envelope) => {
      sent.push(envelope);
      const body = "<GetDeviceInformationResponse/>";
      return { status: 200, text: `<Envelope><Body>${body}</Body></Envelope>` };
    });
    const reply = await service.getDeviceInformation();
    assert.deepEqual(reply, {
      soap: "",
      formatted: "",
      converted: { GetDeviceInformationResponse: "" },
      data: { GetDeviceInformationResponse: "" },
    });
    assert.ok(sent.every((envelope) => envelope.includes("<s:Header></s:Header>")));
  });
});

describe("XML of a stranger", () => {
  it("is nested to 64 levels, and not hidden from that in quotes, comments or closing tags", async () => {
    assert.equal(await reading(nested(64)), "read");
    assert.equal(await reading(nested(65)), "CAMERA_STREAM");
    const hidden = ["<a b='/>'>", '<a b="<!--">', "<!-- --><a>", "<?x?><a>", "<a\n>"];
    for (const open of hidden) {
      const xml = open.repeat(65) + "</a>".repeat(65);
      assert.equal(await reading(xml), "CAMERA_STREAM", open);
    }
    // Before any parser sees it.
    assert.throws(() => guardXml("</a>".repeat(9) + nested(70)), { code: "CAMERA_STREAM" });
    assert.equal(await reading(`<a>${"<b/>".repeat(30_000)}</a>`), "CAMERA_STREAM");
    assert.equal(
      await reading(`<a><!--${"<b>".repeat(99)}--><![CDATA[${"<b>".repeat(99)}]]></a>`),
      "read",
    );
  });

  it("has no DTD, however it is written", async () => {
    for (const dtd of ["<!DOCTYPE a>", "<!doctype a [<!ENTITY b 'c'>]>", "<!ENTITY b 'c'>"]) {
      assert.equal(await reading(`${dtd}<a/>`), "CAMERA_STREAM");
      assert.equal(await reading(`<a>${dtd}</a>`), "CAMERA_STREAM");
    }
    assert.equal(await reading("<a>&b;</a>"), "CAMERA_STREAM");
  });

  it("is read or refused, whatever it is", async () => {
    const piece = fc.constantFrom(
      "<a>",
      "</a>",
      "<a b='",
      "c'>",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "<?x",
      "?>",
      "&amp;",
      "&",
      "<__proto__>",
      "</__proto__>",
      '"',
      "\0",
      "\ufeff",
      " x ",
      "<a:b/>",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        assert.match(await reading(pieces.join("")), /^(?:read|CAMERA_STREAM)$/);
      }),
      { numRuns: 2000 },
    );
  });
});
