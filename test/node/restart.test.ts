import { type Files, nodeFiles } from '@quorumlab/disk';
import { kv } from '@quorumlab/log';
import { expect, test } from 'vitest';
import { groupsOfTests, textOf } from './support/groups.ts';
import { raftOf } from './support/replicas.ts';

const groupOf = groupsOfTests();

/** Takes longer than a slice of one millisecond. */
function dawdle(): void {
  const end = performance.now() + 2;
  while (performance.now() < end);
}

test('a replica that reads its state back leaves all others their turn', async () => {
  const group = await groupOf(raftOf({ n: 1, snapshotEvery: 20 }));
  const [before] = await group.startAll();
  for (let i = 0; i < 60; i++) await before?.log.propose(kv.put(`key ${i}`, `${i}`.padEnd(30_000)));
  await before?.stop();

  let over = false;
  let reads = 0;
  let inThisTurn = 0;
  let most = 0;
  const files: Files = {
    ...nodeFiles,
    async open(...place: Parameters<Files['open']>) {
      const file = await nodeFiles.open(...place);
      return {
        ...file,
        readNow(target: Uint8Array, position: number) {
          dawdle();
          reads++;
          most = Math.max(most, ++inThisTurn);
          return file.readNow(target, position);
        },
      };
    },
  };
  const turn = (): void => {
    inThisTurn = 0;
    if (!over) setImmediate(turn);
  };
  turn();
  const [after] = await group.startAll(() => ({ files, limits: { sliceMs: 1 } }));
  over = true;
  expect(reads).toBeGreaterThan(15);
  // The chunk that says what the others are is read together with the first one.
  expect(most).toBeLessThanOrEqual(2);
  const found = await after?.log.read(kv.get('key 7'));
  expect(textOf(found ?? new Uint8Array()).trim()).toBe('7');
});
