/** One measured value and what it should be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `<= 1.1` or `>= 2`. */
  readonly target: string;
  readonly met: boolean;
}

/** A figure held against its target. */
export function figure(name: string, value: number, unit: string, target: string): Figure {
  const [comparison, limit] = target.split(" ");
  const met = comparison === "<=" ? value <= Number(limit) : value >= Number(limit);
  return { name, value: Number(value.toFixed(3)), unit, target, met };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
