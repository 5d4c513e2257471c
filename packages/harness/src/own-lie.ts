/** A lie of one's own in one or two functions: what a traitor says in place of what it should. */
import { type Behaviour, rewrite, wrapped } from '@quorumlab/adversary';
import type { Machine, Outgoing, PrincipalId, Shape } from '@quorumlab/core';
import type { Attack } from './attacks.ts';

/** A message as a lie sees it. It must not be changed, but copied. */
export type Said = Readonly<Record<string, unknown>>;

/**
 * What a traitor says to `to` in place of `message`. Nothing or `true`: the message as it is.
 * `false`: nothing. An object: that message. A list: all of them. `heard` is the message that made
 * it speak, if one did.
 */
export type OwnLie = (to: PrincipalId, message: Said, heard: Said | undefined) => unknown;

/** What a traitor says besides when it hears a message: a list of `{ to, message }`, or nothing. */
export type OwnAnswer = (heard: Said) => unknown;

/** The functions of an attack of one's own. */
export interface OwnAttack {
  readonly lie?: OwnLie;
  readonly answer?: OwnAnswer;
}

/**
 * The attack in which every traitor says what these functions return. What they throw goes to
 * `failed`, and the traitor speaks as if there were none: a mistake in a lie is no crash of a node.
 */
export const attackOfLie = (
  name: string,
  { lie = () => undefined, answer = () => undefined }: OwnAttack,
  failed: (error: unknown) => void = () => undefined,
): Attack => ({
  name,
  title: 'Every traitor says what a function of your own returns.',
  needs: 'byzantine',
  behaviour:
    <S extends Shape>(): Behaviour<S> =>
    (honest, { members, fire }) => {
      const tried = (make: () => unknown): unknown => {
        try {
          return make() ?? undefined;
        } catch (error) {
          failed(error);
          return undefined;
        }
      };
      const told = rewrite<S>(honest, members, (to, message, { event }): readonly Outgoing<S>[] => {
        const heard = event.type === 'message' ? (event.message as unknown as Said) : undefined;
        const said = tried(() => lie(to, message as unknown as Said, heard));
        if (said === undefined || said === true) return [{ to, message }];
        fire(name);
        if (said === false) return [];
        const all = Array.isArray(said) ? said : [said];
        return all.map((each) => ({ to, message: each as S['Message'] }));
      });
      return answering<S>(told, (heard) => {
        const said = tried(() => answer(heard));
        if (!Array.isArray(said) || said.length === 0) return [];
        fire(name);
        return said as readonly Outgoing<S>[];
      });
    },
});

/** The same machine, which says something besides whenever it hears a message. */
const answering = <S extends Shape>(
  inner: Machine<S>,
  answer: (heard: Said) => readonly Outgoing<S>[],
): Machine<S> =>
  wrapped(inner, (input) => {
    const output = inner.step(input);
    if (input.event.type !== 'message') return output;
    const more = answer(input.event.message as unknown as Said);
    return more.length === 0 ? output : { ...output, sends: [...output.sends, ...more] };
  });
