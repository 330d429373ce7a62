import { after, afterEach, before } from "mocha";
import { accountOf } from "./box.ts";
import { type DockedBox, openBox } from "./docked-box.ts";

/**
 * Gives the tests of a description a box of their own, which `begins` prepares before the first of them; each goes on where the
 * one before it left off. What the box did is printed where one fails.
 */
export function ownBox(begins: (box: DockedBox) => Promise<void>): void {
  const stack = new AsyncDisposableStack();
  let guest: DockedBox["guest"] | undefined;
  before(async () => {
    const box = stack.use(await openBox());
    ({ guest } = box);
    await begins(box);
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed" && guest) console.log(await accountOf(guest));
  });
  after(() => stack.disposeAsync());
}
