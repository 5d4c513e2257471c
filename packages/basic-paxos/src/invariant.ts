/** What one replica can check by itself after every step. */
import type { Replica } from './state.ts';

/** The invariants that one replica can check by itself. */
export function invariant(replica: Replica): string | undefined {
  const { promised, accepted, phase, decided, rejoined } = replica;
  if (accepted !== null && accepted.ballot > promised)
    return `ballot ${accepted.ballot} is accepted, above the promise ${promised}`;
  if (phase !== 'idle' && decided !== null) return 'something is decided, and it still proposes';
  if (phase !== 'idle' && rejoined) return 'it lost its disk, and it proposes';
  return undefined;
}
