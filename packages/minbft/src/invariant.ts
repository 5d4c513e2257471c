/** What one replica can check by itself after every step. */
import { lowOf, ownOf, type Replica } from './state.ts';

/** What must hold after every step. */
export function invariant(replica: Replica): string | undefined {
  const { number, view, lastExecuted: executed, snapshot } = replica;
  const own = ownOf(replica);
  if (own.number > number) return `has heard itself say ${own.number}, and has said ${number}`;
  if (own.view > view) return `has left for view ${own.view} and is in view ${view}`;
  if (snapshot > executed) return `has a snapshot of ${snapshot} and has executed ${executed}`;
  if (lowOf(replica) > executed)
    return `its stable checkpoint is ${lowOf(replica)} and it has executed ${executed}`;
  return undefined;
}
