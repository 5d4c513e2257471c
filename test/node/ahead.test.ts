import { type Files, nodeFiles } from '@quorumlab/disk';
import { kv } from '@quorumlab/log';
import { expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { agreement, groupsOfTests } from './support/groups.ts';
import { pbftOf, type TestReplica } from './support/replicas.ts';

const groupOf = groupsOfTests();

/** Files whose log is not flushed while they are held; `begun` is told of each flush that waits. */
function heldFiles(begun: () => void) {
  let held = Promise.withResolvers<void>();
  held.resolve();
  const files: Files = {
    ...nodeFiles,
    async open(path, mode) {
      const file = await nodeFiles.open(path, mode);
      if (path.includes('flushed')) return file;
      const datasync = async (): Promise<void> => {
        begun();
        await held.promise;
        await file.datasync();
      };
      return { ...file, datasync };
    },
  };
  const hold = (): void => {
    held = Promise.withResolvers<void>();
  };
  return { files, hold, letGo: () => held.resolve() };
}

test('what waits for the disk is sealed meanwhile, and said only when it is durable', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const nodes: TestReplica[] = [];
  const said: string[] = [];
  const signed = (): number => nodes[0]?.status().counters.signatures.signed ?? 0;
  let atFlush: number | undefined;
  const { files, hold, letGo } = heldFiles(() => {
    atFlush = signed();
    said.length = 0;
  });
  const hooks = { said: ({ kind }: { readonly kind: string }) => void said.push(kind) };
  nodes.push(...(await group.startAll((id) => (id === 0 ? { files, hooks } : {}))));
  const client = await group.client();
  await client.propose(kv.put('warm', 'up'));
  await agreement(nodes);
  hold();
  atFlush = undefined;
  const written = client.propose(kv.put('a', '1'));
  try {
    await until(
      'a replica seals what its disk has not got',
      () => signed() > (atFlush ?? Number.POSITIVE_INFINITY),
    );
    expect(said).toEqual([]);
  } finally {
    letGo();
  }
  await written;
  await until('it says what was durable', () => said.length > 0);
  await agreement(nodes);
});
