/** A lie of one's own in one function: what a traitor says in place of what it should. */
import { type Behaviour, rewrite } from '@quorumlab/adversary';
import type { Outgoing, PrincipalId, Shape } from '@quorumlab/core';
import type { Attack } from './attacks.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * What a traitor says to `to` in place of `message`, which must not be changed but copied. Nothing
 * or `true`: the message as it is. `false`: nothing. An object: that message. A list: all of them.
 */
export type OwnLie = (to: PrincipalId, message: Body) => unknown;

/**
 * The attack in which every traitor says what `lie` returns. What `lie` throws goes to `failed`,
 * and the message is said as it is: a mistake in a lie is no crash of a node.
 */
export const attackOfLie = (
  name: string,
  lie: OwnLie,
  failed: (error: unknown) => void = () => undefined,
): Attack => ({
  name,
  title: 'Every traitor says what a function of your own returns.',
  needs: 'byzantine',
  behaviour:
    <S extends Shape>(): Behaviour<S> =>
    (honest, { members, fire }) =>
      rewrite<S>(honest, members, (to, message): readonly Outgoing<S>[] => {
        const said = saidBy(lie, to, message as unknown as Body, failed);
        if (said === undefined || said === null || said === true) return [{ to, message }];
        fire(name);
        if (said === false) return [];
        const all = Array.isArray(said) ? said : [said];
        return all.map((each) => ({ to, message: each as S['Message'] }));
      }),
});

function saidBy(
  lie: OwnLie,
  to: PrincipalId,
  message: Body,
  failed: (error: unknown) => void,
): unknown {
  try {
    return lie(to, message);
  } catch (error) {
    failed(error);
    return undefined;
  }
}
