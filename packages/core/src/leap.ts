/** Terms, views and ballots that nobody reaches by honest means: see {@link Counter}. */
import { maxInteger } from './bytes.ts';
import type { Counter, Shape } from './protocol.ts';
import type { PrincipalId, Signed } from './vocabulary.ts';

/**
 * By how much a member may be ahead of another. With an election every 100 ms, all of them in vain
 * and unheard by the others, that takes more than thirteen years.
 */
export const maxLeap: number = 2 ** 32;

/** Watches one counter of one replica. */
export interface LeapGuard<S extends Shape> {
  /** Whether no handler may see the message. */
  refuses(message: Signed<S['Message']>, known: number): boolean;
  /** What is wrong, and what to do, where this replica has got to `known`; or nothing. */
  trouble(known: number): string | undefined;
}

/**
 * Refuses a message whose counter is more than {@link maxLeap} ahead, until another of the
 * `members` has said as much: then it is this replica that was away, and not its sender that lies.
 */
export function leapGuard<S extends Shape>(
  { name, said }: Pick<Counter<S>, 'name' | 'said'>,
  members: number,
): LeapGuard<S> {
  /** The farthest that each member has said, if that was refused. */
  const far = new Map<PrincipalId, number>();
  return {
    refuses(message, known) {
      const number = said(message);
      if (number <= known + maxLeap) return false;
      const { from } = message;
      if (from < members) far.set(from, Math.max(number, far.get(from) ?? 0));
      for (const [other, their] of far)
        if (other !== from && their >= number - maxLeap) return false;
      return true;
    },
    trouble(known) {
      if (known > maxInteger - maxLeap)
        return (
          `The ${name} is ${known}, and ${name}s end at ${maxInteger}: then nobody can lead any ` +
          `more. Some member counts up as no honest one does; stop it, and move the data to a ` +
          `new group while this one still answers.`
        );
      for (const [member, number] of far)
        if (number > known + maxLeap)
          return (
            `Member ${member} speaks of ${name} ${number}, and this replica is at ${known}: ` +
            `nobody gets that far honestly, so it is not heard. Look at what runs there; if its ` +
            `disk has that number, empty it and let it rejoin.`
          );
      return undefined;
    },
  };
}
