/** What a replica does once a handler has learned something, whichever handler that was. */
import { commit } from './commit.ts';
import { handOver } from './mempool.ts';
import { armPacemaker, maybeTimeoutCertificate } from './pacemaker.ts';
import { noteExcuses } from './patience.ts';
import { maybeConfirm } from './phases.ts';
import { maybePropose, retryParked } from './pipeline.ts';
import type { Context, Replica } from './state.ts';

/** What follows from what a handler has learned. */
export function settle(replica: Replica, ctx: Context): void {
  // Each round learns something: a certificate, or a block whose parent was missing.
  while (replica.news) {
    replica.news = false;
    maybeTimeoutCertificate(replica, ctx);
    const complete = commit(replica, ctx);
    retryParked(replica, complete, ctx);
  }
  noteExcuses(replica, ctx);
  maybeConfirm(replica, ctx);
  maybePropose(replica, ctx);
  handOver(replica, ctx);
  armPacemaker(replica, ctx);
}
