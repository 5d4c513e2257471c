/** Moves a range to another group while clients write: fence, copy, adopt, drop. */
import type { Range } from './operations.ts';
import { type Party, type PartyContext, party } from './party.ts';

/** See {@link moveRange}. */
export interface MoveOptions {
  /** The first key of the range, as its group has it. */
  readonly first: string;
  readonly from: number;
  readonly to: number;
  /** Called once, with the range as it is there; undefined if that group has no such range. */
  readonly onEnd: (range: Range | undefined) => void;
  /** Microseconds between two tries. 5 ms unless told. */
  readonly pollEvery?: number;
}

/**
 * Moves a range. Whoever is told to do so again, after a crash in the middle, goes on where it was:
 * each step may be done twice. The fence stays until it has been done.
 */
export function moveRange(options: MoveOptions): Party {
  const { first, from, to, onEnd, pollEvery = 5000 } = options;
  return party((ctx) => {
    // A group that does not answer must not leave the range shut.
    const knock = (): void =>
      ctx.ask(to, { kind: 'ranges' }, 'read', (result) =>
        result?.kind === 'ranges' ? fence() : ctx.later(pollEvery, knock),
      );
    const fence = (): void =>
      ctx.ask(from, { kind: 'freeze', first, group: to }, 'ordered', (result) => {
        if (result?.kind === 'frozen')
          return copy(ctx, from, result.range, pollEvery, () =>
            take(result.range, result.at, result.horizon),
          );
        if (result?.kind === 'refused' && result.why === 'no range') return onEnd(undefined);
        ctx.later(pollEvery, fence);
      });

    function take(range: Range, at: number, horizon: number): void {
      const { to: end, epoch } = range;
      const adopt = { kind: 'adopt', first, to: end, epoch, at, horizon } as const;
      ctx.ask(range.group, adopt, 'ordered', (result) => {
        if (result?.kind === 'done') return leave(range);
        ctx.later(pollEvery, () => take(range, at, horizon));
      });
    }

    function leave(range: Range): void {
      ctx.ask(from, { kind: 'drop', first, epoch: range.epoch }, 'ordered', (result) => {
        if (result?.kind === 'done') return onEnd(range);
        ctx.later(pollEvery, () => leave(range));
      });
    }

    knock();
  });
}

/** Copies all versions, piece by piece, and then calls `then`. */
function copy(
  ctx: PartyContext,
  from: number,
  range: Range,
  pollEvery: number,
  then: () => void,
): void {
  const { from: first, group, epoch } = range;
  const piece = (after: { readonly key: string; readonly at: number } | null): void => {
    const again = (): void => ctx.later(pollEvery, () => piece(after));
    ctx.ask(from, { kind: 'export', first, epoch, after }, 'read', (result) => {
      // It is gone: another mover has brought this to its end.
      if (result?.kind === 'refused' && result.why === 'no range') return then();
      if (result?.kind !== 'versions') return again();
      const { versions, isLast } = result;
      ctx.ask(group, { kind: 'import', first, epoch, versions }, 'ordered', (taken) => {
        if (taken?.kind !== 'done') return again();
        const last = versions.at(-1);
        if (isLast || last === undefined) return then();
        piece({ key: last.key, at: last.at });
      });
    });
  };
  piece(null);
}
