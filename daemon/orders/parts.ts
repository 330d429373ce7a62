import { z } from "zod";
import { instantOf } from "#base/time";
import { DISK_NAME, MTP_NAME } from "./disk-name.ts";

// The words that orders, reports and the paired list share. Plain strings: they are compared, not used.

/** 128 random bits; the name of an order's file, and of its report's. */
export const nonce = z.string().regex(/^[0-9a-f]{32}$/);
/** `0000:00:14.0/2.3`: controller, and the ports down to the camera. */
export const slot = z.string().regex(/^[A-Za-z0-9:._@-]{1,100}\/\d{1,3}(?:\.\d{1,3}){0,6}$/);
export const diskName = z.string().regex(DISK_NAME);
export const mtpName = z.string().regex(MTP_NAME);
/** The card of a camera, of either kind. */
export const cardName = z.union([diskName, mtpName]);
/** Major and minor number: `8:17`. */
export const deviceNumber = z.string().regex(/^\d{1,4}:\d{1,7}$/);
/** A FAT or exFAT volume serial: `1A2B-3C4D`; null where the file system has none, and over MTP. */
export const volumeSerial = z
  .string()
  .regex(/^[0-9A-F]{4}-[0-9A-F]{4}$/)
  .nullable();
export const usbId = z.string().regex(/^[0-9a-f]{4}$/);
/** As the device claims it, and `printable` shows it: 126 characters of USB, of which one may be shown as twelve. */
export const usbSerial = z
  .string()
  .regex(/^\P{C}{1,2000}$/u)
  .nullable();
export const bootId = z.string().regex(/^[\x20-\x7e]{1,64}$/);
/** A node's or a camera's one number. */
export const shortName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/);
export const time = z.string().refine(isTime, "is no UTC time with milliseconds");
/** Base64 of a path on the card: names are bytes. Relative, and of plain names only. */
export const cardPath = z.base64().max(6000).refine(isPlainPath, "is no plain path");

/** FAT allows no deeper path than this many bytes. */
const PATH_BYTES = 4096;
const DEPTH = 16;

function isTime(text: string): boolean {
  try {
    return instantOf(text) > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isPlainPath(encoded: string): boolean {
  const path = Buffer.from(encoded, "base64");
  if (path.toString("base64") !== encoded || path.length > PATH_BYTES || path.includes(0))
    return false;
  // One character a byte, so that nothing is lost.
  const names = path.toString("latin1").split("/");
  return names.length <= DEPTH && names.every((name) => !["", ".", ".."].includes(name));
}
