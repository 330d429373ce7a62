import { dayOf, instant, isoOf } from "#base/time";
import { type Shape, shapeUnder } from "./shape.ts";
import { bytesText, durationText, rateText } from "./units.ts";

/** JSON values, written as people write them into the files. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** What was read, with its defaults, in the words and units of the file. */
export function plain(value: unknown, shape: Shape | undefined): Plain {
  if (typeof value === "number") return measured(value, shape?.["x-unit"]);
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((one: unknown) => plain(one, shape?.items));
  if (typeof value !== "object")
    throw new TypeError(`no value of a configuration: ${typeof value}`);
  const entries: [string, unknown][] = Object.entries(value);
  return Object.fromEntries(
    entries
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => [key, plain(one, shapeUnder(shape, key))]),
  );
}

function measured(value: number, unit: Shape["x-unit"]): Plain {
  if (unit === "time") return durationText(value);
  if (unit === "size") return bytesText(value);
  if (unit === "rate") return rateText(value);
  if (unit === "day") return dayOf(instant(value));
  if (unit === "moment") return isoOf(instant(value));
  return value;
}

/** One value and where it stands: `policy.hold_grounds[aangifte].reference`. */
export interface Setting {
  readonly path: string;
  readonly value: string | number | boolean | null;
  /** May name a person, or a folder that does. */
  readonly personal: boolean;
}

/** Every single value. What has a name is found by its name: the order of a list is no setting. */
export function settingsOf(
  value: Plain,
  shape: Shape | undefined,
  path: string,
): readonly Setting[] {
  if (isList(value)) {
    return value.flatMap((one, index) => {
      const place = `${path}[${nameOf(one) ?? index}]`;
      return typeof one === "string"
        ? [{ path: place, value: true, personal: isPersonal(one, shape?.items) }]
        : settingsOf(one, shape?.items, place);
    });
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, one]) =>
      settingsOf(one, shapeUnder(shape, key), `${path}.${key}`),
    );
  }
  return [{ path, value, personal: isPersonal(value, shape) }];
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

function nameOf(value: Plain): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || isList(value)) return undefined;
  const name = value["name"] ?? value["number"] ?? value["role"];
  if (typeof name === "string") return name;
  const words = Object.values(value).filter((one) => typeof one === "string");
  return words.length > 0 ? words.join("/") : undefined;
}

/** A path too: it may lead through somebody's home. */
function isPersonal(value: Plain, shape: Shape | undefined): boolean {
  return shape?.["x-personal"] === true || (typeof value === "string" && value.startsWith("/"));
}
