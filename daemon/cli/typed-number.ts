import { type DeviceId, parseDeviceId } from "#base/ids";

/** Which camera somebody typed. @throws RangeError that says how a number is written. */
export function parseNumber(text: string): DeviceId {
  try {
    return parseDeviceId(text);
  } catch (cause) {
    throw new RangeError(
      "een nummer, in kleine letters, cijfers en streepjes / a number, in small letters, digits and hyphens: bc-0101",
      { cause },
    );
  }
}
