import type { CommonEntry } from '@quorumlab/core';
import { raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';
import { protocolEntry } from './protocol-entry.ts';

const told = {
  title: 'Raft, with all that an entry may tell.',
  drawn: () => ({}),
  patience: 3,
  small: { snapshotEvery: 2 },
  change: () => Uint8Array.of(1),
  member: () => Uint8Array.of(2),
  seat: () => Uint8Array.of(3),
  transfer: () => Uint8Array.of(4),
} satisfies Required<CommonEntry>;

test('what a protocol tells for everybody arrives as it is', () => {
  expect(protocolEntry({ ...told, right: raft })).toMatchObject(told);
});

test('what it does not tell is not there', () => {
  const entry = protocolEntry({ title: 'Raft.', right: raft });
  for (const name of Object.keys(told)) expect(name in entry).toBe(name === 'title');
});
