/** What replicas with MACs say once, and how they lie. Only those who were told can see it. */
import { type Batch, otherBatch, otherDigest } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Executed, MacMessage, MacNewView, MacViewChange } from './mac-messages.ts';

/** What an honest replica says only once: [about what, what]. */
export function* macVows(message: MacMessage): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'mac-view-change':
      yield [`mac-view-change/${message.view}`, contentOf(message)];
      return;
    case 'mac-new-view':
      yield [
        `mac-new-view/${message.view}`,
        message.viewChanges.map(({ member, digest }) => `${member}:${digest}`).join(),
      ];
      for (const { sequence, digest } of message.orders)
        yield [`pre-prepare/${message.view}/${sequence}`, digest];
      return;
    case 'executed':
      yield [`executed/${message.sequence}`, message.digest];
      return;
    case 'view-change-ack':
    case 'fetch-view-change':
    case 'vouched':
  }
}

function contentOf({ low, checkpoints, prepared, prePrepared }: MacViewChange): string {
  const reached = checkpoints.map(({ sequence, digest }) => `${sequence}:${digest}`);
  const [p, q] = [prepared, prePrepared].map((claims) =>
    claims.map(({ sequence, view, digest }) => `${sequence}:${view}:${digest}`).join(' '),
  );
  return `${low} C ${reached.join(' ')} P ${p} Q ${q}`;
}

/** `message` with a vow broken: see `vows.ts`. */
export function macConflict(
  group: Group,
  message: MacMessage,
  fork: number,
  known: Batch,
): MacMessage {
  switch (message.kind) {
    case 'mac-view-change':
      return otherReport(message, fork);
    case 'mac-new-view':
      return otherView(message, fork);
    case 'executed':
      return otherExecution(group, message, fork, known);
    case 'view-change-ack':
    case 'fetch-view-change':
    case 'vouched':
      return message;
  }
}

/** Denies what it had prepared; one that had nothing claims something, in P and in Q. */
function otherReport(message: MacViewChange, fork: number): MacViewChange {
  const { prepared, low, view } = message;
  if (prepared.length > 0 && fork % 2 === 0) return { ...message, prepared: prepared.slice(1) };
  const digest = fork.toString(16).padStart(64, 'f').slice(-64);
  const claim = { view: Math.max(0, view - 1), sequence: low + 1, digest };
  return { ...message, prepared: [claim], prePrepared: [claim] };
}

/** Orders something that nobody knows where the reports say otherwise. */
function otherView(message: MacNewView, fork: number): MacNewView {
  const [first, ...rest] = message.orders;
  if (first !== undefined)
    return { ...message, orders: [{ ...first, digest: otherDigest(first.digest, fork) }, ...rest] };
  const sequence = (message.checkpoint?.sequence ?? 0) + 1;
  const digest = fork.toString(16).padStart(64, 'e').slice(-64);
  return { ...message, orders: [{ sequence, digest }] };
}

/** Has executed another batch, whose digest is right. */
function otherExecution(group: Group, message: Executed, fork: number, known: Batch): Executed {
  const other = { ...message, digest: otherDigest(message.digest, fork) };
  if (group.digest === undefined) return other;
  const batch = otherBatch(message.batch, fork, known);
  const digest = group.digest(group.schemas.content, batch);
  return digest === message.digest ? other : { ...message, digest, batch };
}
