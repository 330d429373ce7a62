/** One medium of a session description (RFC 8866), as far as it is looked at. */
export interface Medium {
  /** `video`, `audio`, `application`, … */
  readonly kind: string;
  readonly protocol: string;
  readonly payloads: readonly number[];
  /** Names of encodings with clock rate and channels, such as `H264/90000`, by payload type. */
  readonly encodings: ReadonlyMap<number, string>;
  /** Parameters by payload type, as they stood. */
  readonly parameters: ReadonlyMap<number, string>;
  readonly control: string | undefined;
}

export interface Description {
  readonly control: string | undefined;
  readonly media: readonly Medium[];
}

/** More than any camera has; what comes after is not looked at, and so not admitted. */
const MEDIA = 32;

/** RFC 3551 §6: what these payload types are where no line says so. */
const STATIC_ENCODINGS: ReadonlyMap<number, string> = new Map([
  [0, "PCMU/8000"],
  [8, "PCMA/8000"],
  [26, "JPEG/90000"],
  [32, "MPV/90000"],
  [33, "MP2T/90000"],
]);

/** Reads what a camera says it has. Lines that are not understood are left out. */
export function readDescription(text: string): Description {
  const [session = [], ...sections] = sectionsOf(text.split(/\r\n|\n|\r/));
  return {
    control: valueOf(session, "a=control:"),
    media: sections.slice(0, MEDIA).flatMap(readMedium),
  };
}

function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("m=")) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections;
}

function readMedium(lines: readonly string[]): Medium[] {
  const match = /^m=(\S+) \d+(?:\/\d+)? (\S+)((?: \d{1,3})+) *$/.exec(lines[0] ?? "");
  const [, kind, protocol, payloads] = match ?? [];
  if (kind === undefined || protocol === undefined || payloads === undefined) return [];
  return [
    {
      kind: kind.toLowerCase(),
      protocol: protocol.toUpperCase(),
      payloads: payloads.trim().split(" ").map(Number),
      encodings: new Map([...STATIC_ENCODINGS, ...byPayload(lines, "a=rtpmap:")]),
      parameters: byPayload(lines, "a=fmtp:"),
      control: valueOf(lines, "a=control:"),
    },
  ];
}

function byPayload(lines: readonly string[], start: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of lines) {
    if (!line.startsWith(start)) continue;
    const [, payload, value] = /^(\d{1,3}) +(.*)$/.exec(line.slice(start.length)) ?? [];
    if (value !== undefined) found.set(Number(payload), value.trim());
  }
  return found;
}

function valueOf(lines: readonly string[], start: string): string | undefined {
  return lines
    .find((line) => line.startsWith(start))
    ?.slice(start.length)
    .trim();
}
