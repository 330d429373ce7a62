import type { ObjectVersion } from "../vault/vault.ts";
import type { Expected } from "./rows-in-key-order.ts";

/** One key: what the catalog says of it, and what the vault has there. One of both may be nothing. */
export interface Both {
  readonly key: string;
  readonly expected: Expected | undefined;
  readonly versions: readonly ObjectVersion[];
}

/** Goes through rows and versions side by side, both in the order of their keys. */
export async function* joined(
  rows: AsyncIterable<Expected>,
  listed: AsyncIterable<ObjectVersion>,
): AsyncGenerator<Both, void, undefined> {
  const left = rows[Symbol.asyncIterator]();
  const right = byKey(listed);
  let row = await left.next();
  let object = await right.next();
  while (row.done !== true || object.done !== true) {
    const expected = row.done === true ? undefined : row.value;
    const there = object.done === true ? undefined : object.value;
    if (expected && (there === undefined || expected.key <= there.key)) {
      const versions = there?.key === expected.key ? there.versions : [];
      yield { key: expected.key, expected, versions };
      row = await left.next();
      if (versions.length > 0) object = await right.next();
    } else if (there) {
      yield { ...there, expected: undefined };
      object = await right.next();
    }
  }
}

async function* byKey(listed: AsyncIterable<ObjectVersion>) {
  let key: string | undefined;
  let versions: ObjectVersion[] = [];
  for await (const version of listed) {
    if (key !== undefined && version.key !== key) {
      yield { key, versions };
      versions = [];
    }
    key = version.key;
    versions.push(version);
  }
  if (key !== undefined) yield { key, versions };
}
