import { justBooted } from "./frozen.ts";

// What the guests of test/vm start from, where it is not there yet. The first of them would make it as well, while the others wait.

await justBooted("trixie");
await justBooted("trixie", 2);
await justBooted("bookworm", 2);
