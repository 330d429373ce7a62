/** Reads a bit string from its first bit on. Beyond its end everything is 0, and `isBeyond` says so. */
export interface Bits {
  /** A number of so many bits, at most 31. */
  take(count: number): number;
  /** An unsigned Exp-Golomb number (H.264 §9.1, H.265 §9.2). */
  ue(): number;
  /** A signed one. */
  se(): number;
  /** Whether more was read than there is, or a number larger than any that means something. */
  isBeyond(): boolean;
}

const MOST_ZEROS = 30;

export function bitsOf(bytes: Uint8Array): Bits {
  let at = 0;
  let beyond = false;

  const bit = (): number => {
    const byte = bytes[at >> 3];
    if (byte === undefined) beyond = true;
    const found = ((byte ?? 0) >> (7 - (at & 7))) & 1;
    at += 1;
    return found;
  };
  const take = (count: number): number => {
    let found = 0;
    for (let left = count; left > 0; left -= 1) found = found * 2 + bit();
    return found;
  };
  const ue = (): number => {
    let zeros = 0;
    while (zeros <= MOST_ZEROS && bit() === 0) zeros += 1;
    if (zeros > MOST_ZEROS) beyond = true;
    return beyond ? 0 : 2 ** zeros - 1 + take(zeros);
  };
  const se = (): number => {
    const coded = ue();
    return coded % 2 === 0 ? -coded / 2 : (coded + 1) / 2;
  };
  return { take, ue, se, isBeyond: () => beyond };
}
