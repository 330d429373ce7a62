import { z } from "zod";
import { nearest } from "./advice.ts";
import type { Read } from "./document.ts";
import type { Mistake } from "./mistake.ts";
import type { Policy } from "./policy-schema.ts";

// What the policy, as the annex leaves it, allows of cameras in buildings. Looked at in what was written, so
// that one run names every mistake; what is of another form is a mistake already.

const text = z.string().optional().catch(undefined);
const camera = z
  .looseObject({
    building: text,
    room: text,
    sound: z.boolean().catch(false).default(false),
    covert: z.looseObject({ decided_by: text }).optional().catch({}),
  })
  .catch({ sound: false });
type Camera = z.output<typeof camera>;
const written = z
  .looseObject({ cameras: z.array(camera).catch([]) })
  .catch({ cameras: [] })
  .transform(({ cameras }) => cameras);

/** Everything in a box's file that its policy does not allow of a camera. */
export function cameraMistakes(read: Read<unknown>, policy: Policy): readonly Mistake[] {
  return written
    .parse(read.raw)
    .flatMap((one, index) =>
      [...outside(policy, one), ...overheard(policy, one), ...hidden(policy, one)].map(
        ({ key, what }) => read.mistake(["cameras", index, ...key], what),
      ),
    );
}

interface Forbidden {
  readonly key: readonly string[];
  readonly what: string;
}

/** AR-04: the buildings are a closed list. */
function outside({ buildings }: Policy, { building }: Camera): readonly Forbidden[] {
  const names = buildings.map(({ name }) => name);
  if (building === undefined || names.includes(building)) return [];
  const key = ["building"];
  if (names.length === 0) {
    return [{ key, what: "the policy has no buildings: leave the camera out (AR-04)" }];
  }
  const near = nearest(building, names);
  const meant = near === undefined ? "" : ` (did you mean "${near}"?)`;
  const what = `no building of the policy's closed list (AR-04)${meant}; there are: ${names.join(", ")}`;
  return [{ key, what }];
}

/** AR-14: sound in the rooms on the list, and nowhere else. */
function overheard({ sound }: Policy, one: Camera): readonly Forbidden[] {
  // Of a covert camera the schema says it: never.
  if (!one.sound || one.covert !== undefined) return [];
  const rooms = sound?.rooms ?? [];
  if (rooms.some(({ building, room }) => building === one.building && room === one.room)) return [];
  const listed = rooms.map(({ building, room }) => `${building}/${room}`).join(", ");
  const where = rooms.length > 0 ? `only in: ${listed}` : "it has none";
  return [
    { key: ["sound"], what: `sound where the policy has none (AR-14): leave it out; ${where}` },
  ];
}

/** AR-40: only where policy knows covert cameras, by who decides of them. */
function hidden({ covert }: Policy, { covert: asked }: Camera): readonly Forbidden[] {
  if (asked === undefined) return [];
  if (covert === undefined) {
    return [{ key: ["covert"], what: "the policy has no covert cameras: leave it out (AR-40)" }];
  }
  const by = asked.decided_by;
  if (by === undefined || by === covert.decided_by) return [];
  return [{ key: ["covert", "decided_by"], what: `only ${covert.decided_by} decides (AR-40)` }];
}
