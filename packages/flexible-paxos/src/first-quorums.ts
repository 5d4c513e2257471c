/** Quorums are what the log says, from its first slot on, and never a setting of one replica. */
import { OptionsError } from '@quorumlab/core';
import type { Group } from './group.ts';
import { quorumText } from './quorums.ts';
import type { Context, Replica } from './state.ts';

/** Writes down with which quorums the log begins, or refuses to go on with others. */
export function keepQuorums({ quorums }: Group, { firstQuorums }: Replica, ctx: Context): void {
  const told = quorumText(quorums);
  ctx.line('first-quorums');
  if (firstQuorums === '') return ctx.save({ firstQuorums: told });
  if (firstQuorums !== told)
    throw new OptionsError(
      `this log began with the quorums "${firstQuorums}", and now "${told}" is told; ` +
        'start the replica as before, and change quorums by a request',
    );
}
