import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { Temporal } from "temporal-polyfill";
import { parse } from "yaml";
import { instant, instantOf, isoOf } from "#base/time";
import { readConfiguration } from "../config/configuration.ts";
import { effectiveSettings } from "../config/effective.ts";
import { readProfile } from "../config/load.ts";
import { profileSchema } from "../config/profile-schema.ts";
import { orderTemplate, timeFileText } from "../daemon/orders/time-file.ts";
import { recordingTimes } from "../daemon/recording-times.ts";
import { joined, listCard } from "../drivers/bodycam/card.ts";
import { judgeMatch, matches, rootNames } from "../drivers/bodycam/match.ts";
import { sorter } from "../drivers/bodycam/profile.ts";
import { stampInName } from "../drivers/bodycam/start-time.ts";
import { type Made, makeCard } from "./fakes/card-made.ts";
import { GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const NOW = instantOf("2026-11-22T17:00:00.000Z");

/** What `name` makes of a card of these files: of each path its kind, its start and where that is from. */
async function made(name: string, files: readonly Made[]): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await makeCard(folder.path, files);
  const profile = await readProfile(name);
  const sort = sorter(profile);
  const card = await listCard(folder.path, profile.limits);
  const unasked = async (): Promise<undefined> => undefined;
  const told: string[] = [];
  for (const file of card?.files ?? []) {
    const source = joined(Buffer.from(folder.path), file.path);
    const kind = sort(file.path);
    const times = await recordingTimes(NOW, unasked, profile, file, source);
    const start =
      kind === "ignored" || kind === "location" ? "" : ` ${isoOf(times.startedAt)} ${times.source}`;
    told.push(`${file.path.toString()}: ${kind}${start}`);
  }
  return told;
}

/** The shipped profiles that match a card of these files, by what lies on it alone. */
async function matching(files: readonly Made[]): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await makeCard(folder.path, files);
  const card = await listCard(folder.path);
  const names = await rootNames(folder.path);
  const shipped = await readdir(new URL("../config/profiles", import.meta.url));
  const found: string[] = [];
  for (const name of shipped.map((file) => file.replace(".yaml", "")).toSorted()) {
    const seen = { usb: undefined, label: undefined, names, files: card?.files ?? [] };
    if (matches(judgeMatch(await readProfile(name), seen))) found.push(name);
  }
  return found;
}

const CHANGED = "2026-11-22 10:20:00";
const DRIVEPRO: readonly Made[] = [
  { path: "DPB20/VIDEO/2026_1122_101500_001.MP4", changed: CHANGED },
  { path: "DPB20/VIDEO/20261122_102000.MOV", changed: "2026-11-22 10:23:10" },
  { path: "DPB20/PHOTO/20261122_102100.JPG", changed: "2026-11-22 10:21:00" },
  { path: "DPB20/VIDEO/._20261122_102000.MOV", changed: CHANGED },
  { path: "System Volume Information/IndexerVolumeGuid", changed: CHANGED },
];
const WHITE_LABEL: readonly Made[] = [
  { path: "Record/Normal/20261122_101500.MP4", changed: CHANGED },
  { path: "Record/Normal/20261122102000.MP4", changed: "2026-11-22 10:25:00" },
  { path: "Record/Protected/2026_1122_102500_003.MOV", changed: "2026-11-22 10:27:00" },
  { path: "Event/261122_103000_001F.TS", changed: "2026-11-22 10:35:00" },
  { path: "Event/BC0101_20261122_103500.TS", changed: "2026-11-22 10:40:00" },
  { path: "Record/Normal/20261122_101500.GPS", changed: CHANGED },
  { path: "Record/Normal/FILE0007.MP4", changed: "2026-11-22 11:00:00" },
];
const MTP: readonly Made[] = [
  { path: "Internal storage/DCIM/Camera/VID_20261122_101500.mp4", changed: CHANGED },
  { path: "Internal storage/DCIM/.thumbnails/1.jpg", changed: CHANGED },
  { path: "Internal storage/Android/data/x", changed: CHANGED },
];
const GENERIC: readonly Made[] = [
  { path: "DCIM/100MEDIA/20261122_101500.MP4", changed: CHANGED },
  { path: "DCIM/100MEDIA/IMG_0001.MP4", changed: CHANGED },
];

describe("the profile transcend-drivepro-body", () => {
  it("takes what lies below the folder of the model, by the time in its name, else of its file", async () => {
    assert.deepEqual(await made("transcend-drivepro-body", DRIVEPRO), [
      "DPB20/PHOTO/20261122_102100.JPG: media 2026-11-22T09:21:00.000Z name",
      "DPB20/VIDEO/._20261122_102000.MOV: ignored",
      "DPB20/VIDEO/20261122_102000.MOV: media 2026-11-22T09:20:00.000Z name",
      "DPB20/VIDEO/2026_1122_101500_001.MP4: media 2026-11-22T09:15:00.000Z name",
      "System Volume Information/IndexerVolumeGuid: ignored",
    ]);
  });

  it("knows its cards by that folder, and no other profile takes them for its own", async () => {
    assert.deepEqual(await matching(DRIVEPRO), ["transcend-drivepro-body"]);
    assert.deepEqual(await matching([{ path: "DPB30/x", changed: CHANGED }]), [
      "transcend-drivepro-body",
    ]);
  });
});

describe("the profile white-label-5-minutes", () => {
  it("reads the forms of names that such cameras write, and the local time of a FAT card", async () => {
    assert.deepEqual(await made("white-label-5-minutes", WHITE_LABEL), [
      "Event/261122_103000_001F.TS: media 2026-11-22T09:30:00.000Z name",
      "Event/BC0101_20261122_103500.TS: media 2026-11-22T09:35:00.000Z name",
      "Record/Normal/20261122102000.MP4: media 2026-11-22T09:20:00.000Z name",
      "Record/Normal/20261122_101500.GPS: location",
      "Record/Normal/20261122_101500.MP4: media 2026-11-22T09:15:00.000Z name",
      "Record/Normal/FILE0007.MP4: media 2026-11-22T10:00:00.000Z modified",
      "Record/Protected/2026_1122_102500_003.MOV: media 2026-11-22T09:25:00.000Z name",
    ]);
  });

  it("knows its cards by their folders", async () => {
    assert.deepEqual(await matching(WHITE_LABEL), ["white-label-5-minutes"]);
  });
});

describe("the profile mtp-generic", () => {
  it("takes what lies in the folders of each storage, and leaves a telephone's own things alone", async () => {
    assert.deepEqual(await made("mtp-generic", MTP), [
      "Internal storage/Android/data/x: ignored",
      "Internal storage/DCIM/.thumbnails/1.jpg: ignored",
      "Internal storage/DCIM/Camera/VID_20261122_101500.mp4: media 2026-11-22T09:15:00.000Z name",
    ]);
  });

  it("knows its cards by the folders below a storage", async () => {
    assert.deepEqual(await matching(MTP), ["mtp-generic"]);
  });
});

describe("the profiles generic-dcim and generic-dcim-synchronised", () => {
  for (const name of ["generic-dcim", "generic-dcim-synchronised"]) {
    it(`${name} takes what lies in DCIM, by the time in its name, else of its file`, async () => {
      assert.deepEqual(await made(name, GENERIC), [
        "DCIM/100MEDIA/20261122_101500.MP4: media 2026-11-22T09:15:00.000Z name",
        "DCIM/100MEDIA/IMG_0001.MP4: media 2026-11-22T10:20:00.000Z modified",
      ]);
    });
  }

  it("know their cards by what recordings are called", async () => {
    const both = ["generic-dcim", "generic-dcim-synchronised"];
    assert.deepEqual(await matching(GENERIC), both);
    assert.deepEqual(await matching([{ path: "music/a.mp3", changed: CHANGED }]), []);
  });
});

/** The forms of names that a profile is said to know, of `YYYY MM DD HH MM SS` in local time. */
const FORMS: Readonly<Record<string, readonly ((digits: readonly string[]) => string)[]>> = {
  "transcend-drivepro-body": [
    ([y, mo, d, h, mi, s]) => `DPB20/VIDEO/${y}${mo}${d}_${h}${mi}${s}.MP4`,
    ([y, mo, d, h, mi, s]) => `DPB20/VIDEO/${y}_${mo}${d}_${h}${mi}${s}_001.MOV`,
    ([y, mo, d, h, mi, s]) => `DPB20/VIDEO/${y}${mo}${d}${h}${mi}${s}.MP4`,
    ([y, mo, d, h, mi, s]) => `DPB20/VIDEO/${y}-${mo}-${d}-${h}-${mi}-${s}.MP4`,
  ],
  "white-label-5-minutes": [
    ([y, mo, d, h, mi, s]) => `Record/${y}${mo}${d}_${h}${mi}${s}.MP4`,
    ([y, mo, d, h, mi, s]) => `Record/${y}${mo}${d}${h}${mi}${s}.MP4`,
    ([y, mo, d, h, mi, s]) => `Record/${y}_${mo}${d}_${h}${mi}${s}_001.MP4`,
    ([y, mo, d, h, mi, s]) => `Record/${y?.slice(2)}${mo}${d}_${h}${mi}${s}_017F.TS`,
    ([y, mo, d, h, mi, s]) => `Record/BC0101_${y}${mo}${d}_${h}${mi}${s}.TS`,
  ],
  "mtp-generic": [
    ([y, mo, d, h, mi, s]) => `Internal storage/DCIM/Camera/VID_${y}${mo}${d}_${h}${mi}${s}.mp4`,
    ([y, mo, d, h, mi, s]) => `Card/DCIM/${y}-${mo}-${d}-${h}-${mi}-${s}.mp4`,
  ],
};

describe("a shipped profile", () => {
  for (const [name, forms] of Object.entries(FORMS)) {
    it(`${name} reads any moment of 2020 to 2040 out of each form of a name, also where clocks change`, async () => {
      const profile = await readProfile(name);
      const sort = sorter(profile);
      const moments = fc.integer({
        min: Date.parse("2020-01-01T00:00:00Z") / 1000,
        max: Date.parse("2040-01-01T00:00:00Z") / 1000,
      });
      fc.assert(
        fc.property(moments, fc.constantFrom(...forms), (seconds, form) => {
          const local = Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
            .toZonedDateTimeISO(profile.zone)
            .toPlainDateTime();
          const path = Buffer.from(form(local.toString({ smallestUnit: "second" }).split(/[-T:]/)));
          const stamp = stampInName(profile, path);
          assert.ok(stamp, path.toString());
          assert.ok(
            [stamp.earlier, stamp.later].includes(instant(seconds * 1000)),
            path.toString(),
          );
          assert.equal(sort(path), "media");
        }),
        { numRuns: 1000 },
      );
    });
  }
});

describe("the profile that docs/docks.md shows", () => {
  it("is one that bewaard takes, with all that it says of a clock", async () => {
    const text = await readFile(new URL("../docs/docks.md", import.meta.url), "utf8");
    const [, yaml] = /```yaml\n([^]*?)```/.exec(text) ?? [];
    const { set_time, clock_file } = profileSchema.parse(parse(yaml ?? ""));
    assert.equal(set_time?.template, "{year}-{month}-{day} {hour}:{minute}:{second}\n");
    assert.equal(clock_file?.path, "LOG/usb.log");
  });
});

describe("the files that set a clock which docs/docks.md shows", () => {
  const KNOWN = {
    "TIMESET.TXT": "2026-11-22 10:15:00\r\n",
    "time.txt": "2026/11/22 10:15:00\r\n",
    "tag.txt": "[date]\r\n2026/11/22\r\n10:15:00\r\n",
  };

  it("are taken in a profile, and have what its comment says once the moment is filled in", async () => {
    const text = await readFile(new URL("../docs/docks.md", import.meta.url), "utf8");
    const blocks = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml ?? "");
    const model = new URL("../config/profiles/white-label-5-minutes.yaml", import.meta.url);
    const shipped = await readFile(model, "utf8");
    const found: Record<string, string> = {};
    for (const yaml of blocks.filter((one) => /^set_time:/m.test(one) && !/^name:/m.test(one))) {
      const { set_time } = profileSchema.parse(parse(`${shipped}\n${yaml}`));
      assert.ok(set_time);
      const now = instant(Date.parse("2026-11-22T09:15:00.000Z"));
      found[set_time.path] = timeFileText(orderTemplate(set_time), set_time.zone, now);
    }
    assert.deepEqual(found, KNOWN);
  });

  it("are in no shipped profile: nobody describes one of these models", async () => {
    const files = await readdir(new URL("../config/profiles/", import.meta.url));
    assert.ok(files.length >= 5);
    for (const name of files.map((file) => file.replace(/\.yaml$/, ""))) {
      const { set_time, clock_file } = await readProfile(name);
      assert.deepEqual([set_time, clock_file], [null, null], name);
    }
  });
});

describe("a profile", () => {
  it("is refused where it leaves out what it calls a recording: a full card would be called empty", () => {
    const plain = {
      name: "x",
      media: ["DCIM/**/*.{MP4,MOV}", "R[0-9]/*.ts"],
      start_in_name: null,
      zone: "UTC",
      clock: "unknown",
    };
    const takes = (ignore: readonly string[]) =>
      profileSchema.safeParse({ ...plain, ignore }).success;
    assert.ok(takes([]));
    assert.ok(takes(["**/._*", "**/*.tmp", "System Volume Information/**", "DCIM/old/**"]));
    for (const wide of ["**", "**/*", "DCIM/**", "dcim/*/*.mp4", "R0/**", "**/*.TS"])
      assert.ok(!takes(["**/._*", wide]), wide);
  });
});

describe("a profile of before docks", () => {
  it("has no setting more than it had, and its own are settings (AR-43)", async () => {
    await using folder = await temporaryFolder();
    const { config, rules } = await readConfiguration(await writtenIn(folder.path, GOOD_BOX));
    const keys = (all: typeof rules): readonly string[] => {
      const settings = effectiveSettings(config, all).map(({ path }) => path);
      const found = settings.map((path) => /^profiles\[generic-dcim\]\.([a-z_]+)/.exec(path)?.[1]);
      return [...new Set(found.filter((key) => key !== undefined))];
    };
    const before = [
      "name",
      "media",
      "ignore",
      "start_in_name",
      "zone",
      "clock",
      "container_time",
      "stamp_is",
      "file_times",
      "longest_recording",
    ];
    assert.deepEqual(keys(rules), before);
    const own = {
      ...(await readProfile("generic-dcim")),
      wipe: "overwrite",
      bytes_per_hour: 4e9,
    } as const;
    const changed = { ...rules, profiles: { "generic-dcim": own } };
    assert.deepEqual(keys(changed), [...before, "bytes_per_hour", "wipe"]);
  });
});

describe("a card is recognised", () => {
  const profile = {
    media: ["**/*.MP4"],
    match: { usb: ["0b6a:1234", "0b6a:1235"], volume_label: "^DPB", markers: ["DPB*"] },
  };
  const seen = { usb: "0b6a:1235", label: "DPB20", names: [Buffer.from("DPB20")], files: [] };

  it("when everything that its profile names is so", () => {
    assert.ok(matches(judgeMatch(profile, seen)));
    for (const other of [{ usb: "0b6a:9999" }, { label: "NO NAME" }, { names: [] }]) {
      assert.ok(!matches(judgeMatch(profile, { ...seen, ...other })));
    }
  });

  it("by what could be looked at, and never by nothing", () => {
    assert.ok(matches(judgeMatch(profile, { ...seen, usb: undefined, label: undefined })));
    const unseen = { ...profile, match: { ...profile.match, markers: [], volume_label: null } };
    assert.ok(!matches(judgeMatch(unseen, { ...seen, usb: undefined })));
  });
});
