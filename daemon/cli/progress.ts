import { MultiBar, Presets, SingleBar } from "cli-progress";

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

/** Several bars at once, drawn in place: a line for each `line`, in the order in which they came. */
export interface Bars {
  show(line: string, done: number, total: number, name: string, says: string): void;
  end(): void;
}

/** On a narrower screen there is no room for a bar beside what it says, which is what people look for. */
const WIDE_COLUMNS = 100;

export function openBars(stream: NodeJS.WritableStream & { readonly columns?: number }): Bars {
  const isWide = (stream.columns ?? WIDE_COLUMNS) >= WIDE_COLUMNS;
  const multi = new MultiBar(
    {
      format: isWide ? "{name}  {bar} {percentage}%  {says}" : "{name}  {percentage}%  {says}",
      stream,
      hideCursor: true,
      barsize: 16,
      autopadding: true,
    },
    Presets.shades_classic,
  );
  const bars = new Map<string, SingleBar>();
  return {
    show(line, done, total, name, says) {
      const words = { name, says };
      const bar = bars.get(line) ?? multi.create(total, done, words);
      bars.set(line, bar);
      bar.setTotal(total);
      bar.update(done, words);
    },
    end: () => multi.stop(),
  };
}
