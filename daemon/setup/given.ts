import type { Instant } from "#base/time";
import type { Standing } from "./draft.ts";
import type { Discovery } from "./first-hardware.ts";
import type { AskPath, FromDesk } from "./from-desk.ts";
import type { Ask } from "./gather.ts";
import type { Answers } from "./questions.ts";
import type { AskSecret, SecretFiles } from "./take-secrets.ts";
import type { Tenant } from "./tenant.ts";

/** What was said before anything is asked. */
export interface Given {
  readonly answers: Answers;
  readonly standing: Omit<Standing, "path">;
  readonly desk: FromDesk;
  readonly secrets: SecretFiles;
  readonly discovery: Discovery;
  /** Whose box it is, where it is a tenant's. */
  readonly tenant: Tenant | undefined;
  /** When the answers take the place of a configuration that is there; undefined: it stays. */
  readonly replaceAt: Instant | undefined;
}

/** Somebody at a terminal. */
export interface Person {
  readonly ask: Ask;
  readonly askSecret: AskSecret;
  readonly askPath: AskPath;
}
