/** When a group has recovered what it had. */
import type { Observer } from '@quorumlab/checker';

/** How far state machines have come, to see when a group has recovered what it had. */
export interface Progress {
  readonly observer: Observer;
  /** Whether a running replica has everything that any replica ever had. */
  isKept(): boolean;
}

/** Watches how far each running replica has come. */
export function watchProgress(): Progress {
  let most = -1;
  const reached = new Map<number, number>();
  const at = (seat: number, slot: number): void => {
    most = Math.max(most, slot);
    reached.set(seat, slot);
  };
  return {
    observer: {
      applied: (_at, seat, { slot }) => at(seat, slot),
      installed: (_at, seat, slot) => at(seat, slot),
      started: (_at, seat) => void reached.delete(seat),
      stopped: (_at, seat) => void reached.delete(seat),
      violation: undefined,
    },
    isKept: () => most < 0 || [...reached.values()].includes(most),
  };
}
