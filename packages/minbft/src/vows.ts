/**
 * What signing MinBFT's messages promises: one text a number. Only a trusted counter that was set
 * back breaks it; observers prove that by two signatures, adversaries try it.
 */
import { type Batch, otherDigest } from '@quorumlab/core';
import { digestOf, type Group } from './group.ts';
import type { Message, Numbered } from './messages.ts';

/** The number that the trusted counter of its signer gives to `message`; nothing: it needs none. */
export const numberOf = (message: Message): number | undefined =>
  isNumbered(message) ? message.number : undefined;

const isNumbered = (message: Message): message is Numbered => 'number' in message;

/** What an honest replica says only once: [about what, what]. */
export function* vows(message: Message): Iterable<readonly [about: string, what: string]> {
  if (isNumbered(message)) yield [`counter/${message.number}`, textOf(message)];
}

/** All that a number stands for, in words. */
export function textOf(message: Numbered): string {
  switch (message.kind) {
    case 'prepare':
    case 'checkpoint':
      return [
        message.kind,
        'view' in message ? message.view : '',
        message.sequence,
        message.digest,
      ].join(' ');
    case 'commit': {
      const { from, number, view, sequence, digest } = message.prepare;
      return ['commit', from, number, view, sequence, digest].join(' ');
    }
    case 'view-change': {
      const proof = message.stable.map(
        ({ from, number, sequence, digest }) => `${from}:${number}:${sequence}:${digest}`,
      );
      return ['view-change', message.view, ...proof].join(' ');
    }
    case 'new-view': {
      const changes = message.changes.map(({ member, number }) => `${member}:${number}`);
      return ['new-view', message.view, ...changes].join(' ');
    }
  }
}

/**
 * `message` with a vow broken: what an equivocator tries to have signed. `known` are requests of
 * real clients. The batch of another prepare is sent beside it, so both follow from `known` alone.
 */
export function conflict(group: Group, message: Message, fork: number, known: Batch): Message {
  switch (message.kind) {
    case 'prepare': {
      const batch = otherThan(group, message.digest, fork, known);
      return { ...message, digest: digestOf(group, batch) };
    }
    case 'batch':
      return { ...message, batch: otherThan(group, digestOf(group, message.batch), fork, known) };
    case 'checkpoint':
      return { ...message, digest: otherDigest(message.digest, fork) };
    case 'new-view':
      return { ...message, changes: [...message.changes].reverse() };
    case 'view-change':
      return { ...message, stable: [] };
    case 'commit':
    case 'relay':
    case 'req-view-change':
    case 'status':
    case 'said':
    case 'stable-checkpoint':
    case 'fetch-batch':
      return message;
  }
}

/** A batch of one known request, or of none, that has another digest. */
function otherThan(group: Group, digest: string, fork: number, known: Batch): Batch {
  const all: Batch[] = [...known.map((each) => [each]), []];
  const others = all.filter((each) => digestOf(group, each) !== digest);
  return others[fork % Math.max(1, others.length)] ?? [];
}
