import { Presets, SingleBar } from "cli-progress";

/** Shows how far long work is; says nothing where nobody is watching. */
export interface Progress {
  update(done: number): void;
  end(): void;
}

export function openProgress(what: string, total: number): Progress {
  const format = `${what} {bar} {value}/{total} · nog / left {eta_formatted}`;
  const bar = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, noTTYOutput: false, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), end: () => bar.stop() };
}
