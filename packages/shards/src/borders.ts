/** Makes two ranges of one, or one of two that meet, in the group that has them. */
import type { ShardResult } from './operations.ts';
import { type Party, party } from './party.ts';

/** See {@link setBorder}. */
export interface BorderOptions {
  /** `split`: two ranges meet at the key from now on; `merge`: they are one from now on. */
  readonly kind: 'split' | 'merge';
  readonly at: string;
  /** The group that has the key. */
  readonly group: number;
  /** Called once. */
  readonly onEnd: (end: BorderEnd) => void;
  /** Microseconds between two tries. 5 ms unless told. */
  readonly pollEvery?: number;
}

/**
 * How it ended. `no range`: the key is another group's, or of two ranges that meet there this group
 * has one alone; `moving`: nothing is changed while a range is on its way; `full`: one group has no
 * more than `maxRanges`.
 */
export type BorderEnd = 'done' | 'no range' | 'moving' | 'full';

const isEnd = (why: string): why is BorderEnd => ['no range', 'moving', 'full'].includes(why);

/** Asks until it is known what came of it: to ask twice changes nothing more. */
export function setBorder(options: BorderOptions): Party {
  const { kind, at, group, onEnd, pollEvery = 5000 } = options;
  return party((ctx) => {
    const hear = (result: ShardResult | undefined): void => {
      if (result?.kind === 'done') return onEnd('done');
      if (result?.kind === 'refused' && isEnd(result.why)) return onEnd(result.why);
      ctx.later(pollEvery, ask);
    };
    const ask = (): void => ctx.ask(group, { kind, at }, 'ordered', hear);
    ask();
  });
}
