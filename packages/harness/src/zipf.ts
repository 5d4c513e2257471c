import type { Random } from '@quorumlab/core';

/**
 * Draws keys so that key i is asked for in proportion to 1/(i+1): the zipfian choice of the YCSB
 * core workloads with exponent 1 instead of 0.99, because 1/i has an exact integer table and so
 * gives the same keys on every engine.
 */
export function zipfian(keys: number): (random: Random) => number {
  const table: number[] = [];
  let sum = 0;
  for (let i = 1; i <= keys; i++) {
    sum += Math.floor(2 ** 32 / i);
    table.push(sum);
  }
  return (random) => {
    const drawn = random.below(sum);
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((table[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
