import { readyGuest } from "./guest.ts";

/** Runs before any test: two files that begin at once would both make the image and its snapshot. */
export async function mochaGlobalSetup(): Promise<void> {
  await readyGuest();
}
