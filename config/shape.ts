import { z } from "zod";
import { annexSchema } from "./annex-schema.ts";
import { policySchema } from "./policy-schema.ts";
import { profileSchema } from "./profile-schema.ts";
import { configSchema, deskSchema } from "./schema.ts";

/** The schema of each kind of file, as people name it. */
export const SCHEMAS = {
  box: configSchema,
  policy: policySchema,
  annex: annexSchema,
  profile: profileSchema,
  desk: deskSchema,
} as const;

export type FileKind = keyof typeof SCHEMAS;

/** The part of a JSON Schema that we read ourselves. */
export interface Shape {
  readonly description?: string | undefined;
  readonly default?: z.core.util.JSONType | undefined;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: Shape | undefined;
  /** Of keys that the site makes up. */
  readonly additionalProperties?: Shape | boolean | undefined;
  readonly "x-unit"?: "size" | "rate" | "time" | "day" | "moment" | undefined;
  readonly "x-personal"?: boolean | undefined;
}

const shape: z.ZodType<Shape> = z.looseObject({
  description: z.string().optional(),
  default: z.json().optional(),
  get properties() {
    return z.record(z.string(), shape).optional();
  },
  required: z.array(z.string()).optional(),
  get items() {
    return shape.optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), shape]).optional();
  },
  "x-unit": z.enum(["size", "rate", "time", "day", "moment"]).optional(),
  "x-personal": z.boolean().optional(),
});

/** JSON Schema (draft 7, which editors read) of what people write into a file of this kind. */
export function jsonSchema(kind: FileKind): Shape {
  return shapeOf(SCHEMAS[kind]);
}

export function shapeOf(schema: z.ZodType): Shape {
  return shape.parse(z.toJSONSchema(schema, { io: "input", target: "draft-7" }));
}

/** The shape of what stands under `key`, whether it is ours or the site made it up. */
export function shapeUnder(around: Shape | undefined, key: string): Shape | undefined {
  const { properties, additionalProperties: other } = around ?? {};
  if (Object.hasOwn(properties ?? {}, key)) return properties?.[key];
  return typeof other === "object" ? other : undefined;
}

/** The shape of what stands at `path`; undefined where nothing is foreseen. */
export function shapeAt(root: Shape, path: readonly PropertyKey[]): Shape | undefined {
  let here: Shape | undefined = root;
  for (const key of path) {
    here = typeof key === "number" ? here?.items : shapeUnder(here, String(key));
  }
  return here;
}
