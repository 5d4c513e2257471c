import type { Asked, Guards, Replica, Shape } from './protocol.ts';
import type { PrincipalId, Signed } from './vocabulary.ts';

/** Whether a replica could make something of a message now. */
export type Guard<S extends Shape> = (
  replica: Replica<S>,
  message: Signed<S['Message']>,
  asked: Asked,
) => boolean;

/** `guards`, each of them changed by `change`. */
export function changedGuards<S extends Shape>(
  guards: Guards<S>,
  change: (guard: Guard<S>) => Guard<S>,
): Guards<S> {
  // Each guard stays with the kind that it is for, which the types cannot follow.
  const each = guards as unknown as Readonly<Record<string, Guard<S>>>;
  const changed: Record<string, Guard<S>> = {};
  for (const [kind, guard] of Object.entries(each)) changed[kind] = change(guard);
  return changed as unknown as Guards<S>;
}

/**
 * `guards` for a replica that also notes who is there: while it counts that a principal has spoken,
 * anything good of that principal does something, whatever it says.
 */
export const patientGuards = <S extends Shape>(
  guards: Guards<S>,
  counts: (replica: Replica<S>, from: PrincipalId) => boolean,
): Guards<S> =>
  changedGuards<S>(
    guards,
    (guard) => (replica, message, asked) =>
      counts(replica, message.from) || guard(replica, message, asked),
  );
