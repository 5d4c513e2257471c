/** What a replica gives of its snapshots: what was asked for, by its digest, and nothing else. */
import { type Digest, ms } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { donor } from '../test/donor.ts';
import { fetchedOf } from './giving.ts';
import type { ServiceMessage } from './messages.ts';

const other = 'f'.repeat(64);

test('the manifest of the snapshot of that slot and digest, and chunks that it names', () => {
  const one = donor(12);
  const { slot, digest: root } = one.newest() as { readonly slot: number; readonly digest: Digest };
  const answer = (message: ServiceMessage) => one.hears(1, message).sends;
  const sent = (message: object) => [{ to: 1, message: expect.objectContaining(message) }];
  const absent = (at: number, of: Digest) => sent({ kind: 'snapshot-absent', slot: at, root: of });
  const ask = (at: number, of: Digest) => answer({ kind: 'snapshot-request', slot: at, root: of });
  const shown = ask(slot, root);
  expect(shown).toEqual(sent({ kind: 'snapshot-manifest', slot }));
  expect(ask(slot + 1, root)).toEqual(absent(slot + 1, root));
  expect(ask(slot, other)).toEqual(absent(slot, other));
  const chunk = (index: number, of = root) => answer({ kind: 'chunk-request', root: of, index });
  const [{ message }] = shown as unknown as [{ message: { chunks: readonly Digest[] } }];
  const { chunks } = message;
  for (const index of [0, 1, chunks.length - 1])
    expect(chunk(index)).toEqual(sent({ kind: 'snapshot-chunk', root, index }));
  expect(chunk(chunks.length)).toEqual(absent(slot, root));
  expect(chunk(0, other)).toEqual(absent(0, other));
});

test('a snapshot is fetched by somebody for ten seconds after it was last asked for', () => {
  const served = new Map([
    [1, { root: other, at: ms(5_000) }],
    [2, { root: 'a'.repeat(64), at: ms(1_000) }],
  ]) as unknown as Parameters<typeof fetchedOf>[0];
  const digits = (now: number) => [...fetchedOf(served, now)].map((root) => root[0]).sort();
  expect(digits(ms(5_000))).toEqual(['a', 'f']);
  expect(digits(ms(11_000) - 1)).toEqual(['a', 'f']);
  expect(digits(ms(11_000))).toEqual(['f']);
  expect(digits(ms(15_000))).toEqual([]);
});
