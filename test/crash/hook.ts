import { type Step, watchSteps } from "#base/step";

// Loaded with --import into a process and its threads: stops it dead at the n-th time a step is reached.

const at = process.env["CRASH_AT"];
let left = Number(process.env["CRASH_NTH"] ?? "1");

watchSteps((name: Step) => {
  if (name !== at) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
});
