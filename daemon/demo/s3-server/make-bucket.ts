import type { Clock } from "#base/time";
import type { Keep } from "./keep.ts";
import { documentOf, el, type Xml } from "./xml.ts";

/** A bucket that is there from the start, set up as its administrator would have. */
export interface BucketFromStart {
  readonly name: string;
  readonly locks: boolean;
  /** As S3 writes them in JSON. */
  readonly policy: object;
  readonly lifecycle: object;
}

/** Makes it, unless the folder that the server starts on has it already. `owner` is the name of a user. */
export function makeBucket(clock: Clock, keep: Keep, owner: string, bucket: BucketFromStart): void {
  const { name, locks, policy, lifecycle } = bucket;
  if (keep.state.buckets.has(name)) return;
  const documents = {
    policy: JSON.stringify(policy),
    lifecycle: documentOf("LifecycleConfiguration", elementsOf(lifecycle)),
  };
  const settings = { name, owner, atMs: clock.now(), versioning: "Enabled", documents } as const;
  keep.make({ kind: "bucket", settings: { ...settings, ...(locks ? { lock: {} } : {}) } });
}

/** A list is its element again and again; `Rules` of the SDK are each a `Rule`. */
function elementsOf(value: object): readonly Xml[] {
  return Object.entries(value).flatMap(([name, content]: [string, unknown]) =>
    Array.isArray(content)
      ? content.map((one) => elementOf(name.replace(/s$/, ""), one))
      : [elementOf(name, content)],
  );
}

function elementOf(name: string, content: unknown): Xml {
  if (typeof content === "object" && content !== null) return el(name, elementsOf(content));
  return el(name, String(content));
}
