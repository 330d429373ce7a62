/** Does what it is given once everything that it was given before is over; resolves or rejects as that does. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** What is done one at a time, in the order in which it was asked for. What fails keeps nobody behind it. */
export function openInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    // Whoever asked for it hears of it.
    last = turn.catch(() => undefined);
    return turn;
  };
}
