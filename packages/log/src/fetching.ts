/** What a transfer of snapshots needs of the service that it fills. */
import type { Fetch } from '@quorumlab/core';
import { hold, release, shelve } from './disk-layout.ts';
import type { ServiceState, Step } from './replica-state.ts';
import { shelvingOf } from './snapshot-work.ts';
import type { TransferPorts } from './transfer-state.ts';
import type { LogShape } from './types.ts';

/** What is needed of a transfer in this step. */
export const transferPorts = <S extends LogShape>(step: Step<S>): TransferPorts => {
  const { run, input, out } = step;
  const { shelf, fetched } = run.state;
  return {
    digest: run.digest,
    now: input.now,
    // Who is told that a chunk is here can count on it until the transfer lets it go.
    has: (name) => fetched.has(name) || (hold(shelf, name) && fetched.add(name).has(name)),
    store(name, bytes) {
      if (fetched.has(name)) return;
      shelve(shelvingOf(step), name, bytes);
      fetched.add(name);
    },
    retain(names) {
      for (const name of fetched) {
        if (names.has(name)) continue;
        fetched.delete(name);
        release(shelf, name);
      }
    },
    send: (to, message) => void out.sends.push({ to, message }),
    wait: (after) => void out.timers.push({ type: 'set', timer: 'service/transfer', after }),
  };
};

/** Whether all chunks of a snapshot are here and it is being installed, or will be next. */
export const isHere = ({ installing, ready }: ServiceState, { slot, digest }: Fetch): boolean =>
  (installing?.root === digest && installing.manifest.slot === slot) || ready?.slot === slot;

/** Nothing is fetched any more. */
export function endTransfer<S extends LogShape>(step: Step<S>): void {
  step.run.state.transfer = undefined;
  transferPorts(step).retain(new Set());
  step.out.timers.push({ type: 'clear', timer: 'service/transfer' });
}
