/** What a box says in its journal, by when it said it. */
export interface Journal {
  readonly hear: (line: string) => void;
  /** When `event` was said for the `count`th time, of `performance.now()`. */
  nth(event: string, count: number): Promise<number>;
}

/** Begins to count with what it hears first. */
export function openJournal(): Journal {
  const said = new Map<string, number[]>();
  let waiting: { event: string; count: number; resolve: (at: number) => void }[] = [];
  const at = (event: string, count: number): number | undefined => said.get(event)?.[count - 1];
  return {
    hear(line) {
      const [, event = ""] = /"event":"([a-z-]+)"/.exec(line) ?? [];
      said.set(event, [...(said.get(event) ?? []), performance.now()]);
      waiting = waiting.filter((one) => {
        const when = at(one.event, one.count);
        if (when !== undefined) one.resolve(when);
        return when === undefined;
      });
    },
    nth(event, count) {
      const when = at(event, count);
      if (when !== undefined) return Promise.resolve(when);
      return new Promise((resolve) => waiting.push({ event, count, resolve }));
    },
  };
}
