/** A lock service under test: operations in, results out, as values. */
import { decode, encode, type PrincipalId } from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import {
  type LockOperation,
  type LockResult,
  type LockServiceOptions,
  lockOperation,
  lockResult,
  lockService,
} from '../src/index.ts';

export interface Asked {
  readonly machine: StateMachine;
  /** Runs `operation` for `client`. */
  ask(client: PrincipalId, operation: LockOperation): LockResult;
  /** Opens a session for `client`; its number. */
  open(client: PrincipalId): number;
  /** Has all keepers say that `milliseconds` have passed, in ticks of 500. */
  pass(milliseconds: number): void;
}

export function asked(options: Partial<LockServiceOptions> = {}): Asked {
  const { keepers = [0, 1, 2] } = options;
  const machine = lockService({ faulty: 1, ...options, keepers });
  const ask = (client: PrincipalId, operation: LockOperation): LockResult =>
    decode(lockResult, machine.apply(encode(lockOperation, operation), client));
  for (const keeper of keepers) ask(keeper, { kind: 'tick', elapsed: null });
  return {
    machine,
    ask,
    open(client) {
      const result = ask(client, { kind: 'open' });
      if (result.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(result)}`);
      return result.session;
    },
    pass(milliseconds) {
      for (let left = milliseconds; left > 0; left -= 500)
        for (const keeper of keepers)
          ask(keeper, { kind: 'tick', elapsed: 1000 * Math.min(left, 500) });
    },
  };
}
