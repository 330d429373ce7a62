import { type Clock, isoOf } from "#base/time";
import { mtpName } from "../orders/parts.ts";
import type { Serving, StartServing } from "./jmtpfs.ts";
import { findMtp } from "./look.ts";
import { mountPaired } from "./mount-paired.ts";
import { failed, type Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import type { OwnRecord } from "./record.ts";

/** What came of a media device that udev told of. */
interface TakenUp {
  readonly record: OwnRecord;
  /** What serves its files for as long as it is in; undefined where it is refused. */
  readonly serving: Serving | undefined;
}

/**
 * Looks at the media device `name` that udev told of, has its files served when it is a paired camera's and the only
 * such one, and writes its record. Undefined for what is none, is a disk as well, or has gone.
 * @throws BewaardError NODE_KEY, ORDER_REFUSED when the node's public key is not to be trusted.
 */
export async function takeUpMtp(
  clock: Clock,
  mounts: Mounts,
  start: StartServing | undefined,
  places: HelperPlaces,
  name: string,
): Promise<TakenUp | undefined> {
  const found = await findMtp(places, mtpName.parse(name));
  if (found === undefined) return undefined;
  const { usb, device } = found;
  const seen: OwnRecord = {
    bewaard: "card/1",
    bootId: clock.bootId(),
    slot: usb.slot,
    name,
    device,
    vendor: usb.vendor,
    product: usb.product,
    serial: usb.serial ?? null,
    volume: { kind: "mtp", serial: null, label: null },
    bytes: 0,
    largest: start?.largest ?? null,
    readOnly: false,
    number: null,
    mountedAt: null,
    refused: null,
    at: isoOf(clock.now()),
  };
  let serving: Serving | undefined;
  const serve = async (at: string): Promise<void> => {
    if (start === undefined) throw failed("jmtpfs is not installed");
    serving = await start.serve(usb, at);
    // Pulled out and put in again meanwhile: by then it is another one.
    if ((await findMtp(places, name))?.device !== device) throw failed("it is gone by now");
  };
  const otherwise = start === undefined ? "no-program" : "mount-failed";
  const record = await mountPaired(mounts, places, seen, serve, otherwise);
  if (record.refused === null) return { record, serving };
  await serving?.stop();
  return { record, serving: undefined };
}
