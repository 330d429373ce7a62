import { z } from "zod";
import { BewaardError } from "#base/errors";

// How XML of a camera looks once it is objects: an empty element is "", one of a kind is no list, and a text
// with an attribute is an object. Whatever is not certain to be there may be missing.

const TEXT_LIMIT = 200;
const LIST_LIMIT = 64;

const raw = z.union([z.string(), z.object({ _: z.string() }).transform(({ _ }) => _)]);

/** A text of the camera's own, cut to what people read; null where it has none. */
export const words = raw
  .transform((whole) => whole.trim().slice(0, TEXT_LIMIT) || null)
  .nullable()
  .catch(null)
  .default(null);

/** A number that is not negative; null where it says none. */
export const number = raw
  .transform((digits) => (/^\d{1,9}(?:\.\d{1,9})?$/.test(digits.trim()) ? Number(digits) : null))
  .nullable()
  .catch(null)
  .default(null);

export const address = raw.transform((whole) => whole.trim()).pipe(z.string().min(1).max(2000));

/** An element that may be empty. */
export function element<T extends z.ZodType>(inner: T) {
  return z.preprocess((value) => (value === "" ? {} : value), inner);
}

/** None, one, or more of a kind; of a great many the first. */
export function list<T extends z.ZodType>(inner: T) {
  return z
    .preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(element(inner)))
    .transform((all) => all.slice(0, LIST_LIMIT));
}

/** What is taken as missing when it is of another form. */
export function perhaps<T extends z.ZodType>(inner: T) {
  return inner.optional().catch(undefined);
}

/**
 * Reads the body of an answer.
 * @throws BewaardError CAMERA_STREAM for one of another form.
 */
export function readBody<T extends z.ZodType>(schema: T, method: string, body: unknown) {
  const { success, data, error: cause } = schema.safeParse(body);
  if (success) return data;
  const message = `its answer to ${method} has another form than ONVIF's`;
  throw new BewaardError("CAMERA_STREAM", message, { cause });
}
