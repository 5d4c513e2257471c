import type { Asked, Guards, PrincipalId, Replica, Shape, Signed } from './protocol.ts';

type Guard<S extends Shape> = (
  replica: Replica<S>,
  message: Signed<S['Message']>,
  asked: Asked,
) => boolean;

/**
 * `guards` for a replica that also notes who is there: while it counts that a principal has spoken,
 * anything good of that principal does something, whatever it says.
 */
export function patientGuards<S extends Shape>(
  guards: Guards<S>,
  counts: (replica: Replica<S>, from: PrincipalId) => boolean,
): Guards<S> {
  // Each guard stays with the kind that it is for, which the types cannot follow.
  const each = guards as unknown as Readonly<Record<string, Guard<S>>>;
  const patient: Record<string, Guard<S>> = {};
  for (const [kind, guard] of Object.entries(each))
    patient[kind] = (replica, message, asked) =>
      counts(replica, message.from) || guard(replica, message, asked);
  return patient as unknown as Guards<S>;
}
