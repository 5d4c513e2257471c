import {
  type Event,
  type Input,
  idle,
  type Output,
  type PrincipalId,
  type Request,
  type Shape,
} from '@quorumlab/core';
import { type Behaviour, wrapped } from './behaviour.ts';

/** Most requests that are held back. */
const heldCap = 4096;

/**
 * Hears what some clients ask for `by` microseconds later, whether they say it or other replicas
 * pass it on: while it leads it serves these clients late, and breaks no rule of its protocol.
 */
export const holdBack =
  <S extends Shape>(
    by: number,
    whom: (client: PrincipalId) => boolean = () => true,
  ): Behaviour<S> =>
  (honest, power) => {
    const timer = 'adversary/hold-back' as S['Timer'];
    let held: { readonly due: number; readonly event: Event<S> }[] = [];
    const alarm = (now: number): Output<S>['timers'] => {
      const next = held[0];
      return next ? [{ type: 'set', timer, after: Math.max(0, next.due - now) }] : [];
    };
    return wrapped(honest, (input: Input<S>) => {
      const { event, now } = input;
      if (event.type === 'timeout' && event.timer === timer) {
        const [first] = held;
        if (first === undefined || first.due > now) return { ...idle<S>(), timers: alarm(now) };
        held = held.slice(1);
        const output = honest.step({ ...input, event: first.event });
        return { ...output, timers: [...output.timers, ...alarm(now)] };
      }
      if (held.length >= heldCap || !asked(event).some(whom)) return honest.step(input);
      power.fire('hold back');
      held.push({ due: now + by, event });
      return { ...idle<S>(), timers: alarm(now) };
    });
  };

/** Whose requests these are. */
function asked<S extends Shape>(event: Event<S>): readonly PrincipalId[] {
  if (event.type !== 'message') return [];
  // Messages of any protocol: those that bring requests have these parts.
  const { kind, ...parts } = event.message as {
    readonly kind: string;
    readonly requests?: readonly Request[];
    readonly client?: PrincipalId;
  };
  if (kind === 'request' && parts.client !== undefined) return [parts.client];
  return kind === 'relay' ? (parts.requests ?? []).map(({ client }) => client) : [];
}
