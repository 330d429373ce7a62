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

/** As `openProgress`, in MB, for bytes that nobody counted before; `update` is told how many passed. */
export function openCounter(what: string): Progress {
  const format = `${what}: {value} MB`;
  const bar = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, noTTYOutput: false, clearOnComplete: true },
    Presets.shades_classic,
  );
  let bytes = 0;
  bar.start(0, 0);
  return {
    update(passed) {
      bytes += passed;
      bar.update(Math.floor(bytes / 1e6));
    },
    end: () => bar.stop(),
  };
}
