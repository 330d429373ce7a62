import { isDeepStrictEqual } from "node:util";

/** One of several that run side by side, and may be others while the rest goes on. */
export interface ChangingTask {
  readonly name: string;
  /** All that it goes by: where that is another, the task ends and begins anew. */
  readonly by: unknown;
  /** Until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Called once it has ended, because it goes by something else now, or is wanted no more. */
  readonly left: (why: "changed" | "gone") => void;
}

interface Running {
  readonly task: ChangingTask;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Runs what `wanted` yields, until the signal aborts: each time that it yields others, those that are the same go on
 * untouched. The first to throw ends all, and is thrown once each has stopped; so does whatever ends before its time.
 */
export async function changingTasks(
  wanted: (signal: AbortSignal) => AsyncIterable<readonly ChangingTask[]>,
  signal: AbortSignal,
): Promise<void> {
  const siblings = new AbortController();
  const all = AbortSignal.any([signal, siblings.signal]);
  const running = new Map<string, Running>();
  let first: { readonly error: unknown } | undefined;
  const failed = (error: unknown): void => {
    first ??= { error };
    siblings.abort();
  };
  const begin = (task: ChangingTask): void => {
    const stop = new AbortController();
    const ended = task.run(AbortSignal.any([all, stop.signal])).catch(failed);
    running.set(task.name, { task, stop, ended });
  };
  const end = async ({ task, stop, ended }: Running, why: "changed" | "gone"): Promise<void> => {
    stop.abort();
    await ended;
    running.delete(task.name);
    if (!all.aborted) task.left(why);
  };
  try {
    for await (const tasks of wanted(all)) {
      const others = [...running.values()].flatMap((one) => {
        const same = tasks.find(({ name }) => name === one.task.name);
        if (same === undefined) return [end(one, "gone")];
        return isDeepStrictEqual(same.by, one.task.by) ? [] : [end(one, "changed")];
      });
      await Promise.all(others);
      if (all.aborted) break;
      for (const task of tasks) if (!running.has(task.name)) begin(task);
    }
  } catch (error) {
    failed(error);
  }
  await Promise.all([...running.values()].map(({ ended }) => ended));
  if (first !== undefined) throw first.error;
}
