/** Something that is not as an invariant of docs/design.md says. Reported, never repaired by deleting. */
export interface Finding {
  readonly invariant: number;
  readonly what: string;
}

/** The first of what is not well, and how many there are: a catalog that is all wrong must fit in memory. */
export interface Findings {
  readonly first: readonly Finding[];
  readonly count: number;
  add(invariant: number, what: string): void;
}

/** No more than these are told. */
export const SHOWN = 1000;

export function openFindings(): Findings {
  const first: Finding[] = [];
  let count = 0;
  return {
    first,
    get count() {
      return count;
    },
    add(invariant, what) {
      count += 1;
      if (first.length < SHOWN) first.push({ invariant, what });
    },
  };
}
