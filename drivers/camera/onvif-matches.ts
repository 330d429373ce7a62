import { z } from "zod";
import { BewaardError } from "#base/errors";
import { readXml } from "./onvif-library.ts";
import { element, list, words } from "./onvif-xml.ts";

/** A device that answered, in its own words but for its address. */
export interface Found {
  /** The address that answered. */
  readonly address: string;
  readonly urn: string;
  readonly name: string | null;
  readonly hardware: string | null;
  /** Where it says that it answers ONVIF: at the address that answered, or null. */
  readonly onvif: string | null;
  /** How many addresses of others it named. */
  readonly foreign: number;
}

const long = z
  .union([z.string(), z.object({ _: z.string() }).transform(({ _ }) => _)])
  .catch("")
  .default("")
  .transform((text) => text.trim().split(/\s+/).slice(0, 64));

const answer = z.object({
  Header: z.object({ RelatesTo: words }),
  Body: z.object({
    ProbeMatches: element(
      z.object({
        ProbeMatch: list(
          z.object({
            EndpointReference: z.object({ Address: words }),
            Scopes: long,
            XAddrs: long,
          }),
        ),
      }),
    ),
  }),
});

/** Devices in what came from `address`; none unless it answers one of our questions, and has their form. */
export async function readMatches(
  text: string,
  address: string,
  questions: readonly string[],
): Promise<readonly Found[]> {
  const { success, data } = answer.safeParse(await xmlOrNothing(text));
  if (!success || !questions.includes(data.Header.RelatesTo ?? "")) return [];
  return data.Body.ProbeMatches.ProbeMatch.map((one) => {
    const named = one.XAddrs.filter((url) => URL.canParse(url)).map((url) => new URL(url));
    const own = named.filter((url) => isOf(url, address));
    return {
      address,
      urn: one.EndpointReference.Address ?? "",
      name: scope(one.Scopes, "name"),
      hardware: scope(one.Scopes, "hardware"),
      onvif: own.map(({ origin, pathname }) => `${origin}${pathname}`)[0] ?? null,
      foreign: named.length - own.length,
    };
  });
}

async function xmlOrNothing(text: string): Promise<unknown> {
  try {
    return await readXml(text);
  } catch (error) {
    // Anybody may send anything here.
    if (error instanceof BewaardError) return undefined;
    throw error;
  }
}

/** A name could lead anywhere later: only the literal address counts. */
function isOf({ protocol, hostname, username, password }: URL, address: string): boolean {
  const http = protocol === "http:" || protocol === "https:";
  return http && hostname === address && `${username}${password}` === "";
}

function scope(scopes: readonly string[], kind: string): string | null {
  const start = `onvif://www.onvif.org/${kind}/`;
  const text = scopes.find((one) => one.startsWith(start))?.slice(start.length, 300);
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text).trim().slice(0, 60) || null;
  } catch {
    return text.slice(0, 60);
  }
}
