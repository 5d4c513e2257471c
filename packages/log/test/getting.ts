/** A replica that fetches a snapshot from holders that the test plays. */
import type { Digest } from '@quorumlab/core';
import type { ServiceMessage } from '../src/messages.ts';
import { service } from './donor.ts';
import { puppet } from './puppet.ts';

type Puppet = ReturnType<typeof puppet>;
type Said = ReturnType<Puppet['step']>;

/** Whom it asks for what. */
export const asks = (output: Said) =>
  output.sends.map(({ to, message }) => `${to} ${message.kind}`);
/** Whom it asks for which chunk. */
export const chunksAsked = (output: Said) =>
  output.sends.flatMap(({ to, message }) =>
    message.kind === 'chunk-request' ? [{ to: to as number, index: message.index }] : [],
  );
/** When its timer fires, if that is set. */
export const alarm = ({ timers }: Said) =>
  timers.flatMap((each) =>
    String(each.timer) === 'service/transfer' ? ['after' in each ? each.after : 'clear'] : [],
  );
const timeout = { type: 'timeout', timer: 'service/transfer' } as const;

/** One that fetches what `of` has from `holders`, and what `of` answers. */
export function getting(of: Puppet, holders: readonly number[], options: object = {}) {
  const one = puppet({ self: 1, service, ...options });
  const { slot, digest: root } = of.newest() as { readonly slot: number; readonly digest: Digest };
  const answer = (message: ServiceMessage) =>
    of.hears(1, message).sends[0]?.message as ServiceMessage;
  const manifest = answer({ kind: 'snapshot-request', slot, root });
  const begun = one.does((ctx) => ctx.fetchSnapshot(slot, root, holders));
  return {
    one,
    begun,
    manifest,
    slot,
    root,
    /** So much later a holder shows the manifest, gives a chunk, or the timer fires. */
    shows(holder: number, later = 1000) {
      one.wait(later);
      return one.hears(holder, manifest);
    },
    gives(holder: number, index: number, later = 1000) {
      one.wait(later);
      return one.hears(holder, answer({ kind: 'chunk-request', root, index }));
    },
    rings(later: number) {
      one.wait(later);
      return one.run(timeout);
    },
  };
}
