/** Groups that end with the test, and what tests look at in them. */
import { kv } from '@quorumlab/log';
import { afterEach } from 'vitest';
import { until } from '../../../packages/node/test-support/cluster.ts';
import { type AnyProtocol, type TestGroup, type TestReplica, testGroup } from './replicas.ts';

/** Makes groups that end after each test. Call it once at the top of a test file. */
export function groupsOfTests(): (protocol: AnyProtocol) => Promise<TestGroup> {
  const groups: TestGroup[] = [];
  afterEach(async () => {
    await Promise.all(groups.splice(0).map((group) => group.end()));
  });
  return async (protocol) => {
    const group = await testGroup(protocol);
    groups.push(group);
    return group;
  };
}

/** The text of a key-value store's answer to a `get`. */
export function textOf(result: Uint8Array): string {
  const answer = kv.result(result);
  if (answer.kind !== 'value') throw new Error(`not a value but ${answer.kind}`);
  return answer.value === null ? 'nothing' : new TextDecoder().decode(answer.value);
}

/** Waits until all replicas have run the same. */
export const agreement = (nodes: readonly TestReplica[]): Promise<void> =>
  until('all replicas have run the same', () => {
    const all = nodes.map((node) => node.status());
    return all.every(({ applied, state }) => applied === all[0]?.applied && state === all[0].state);
  });

/** Waits until some replica leads, by its own account, and gives its number. */
export async function leaderOf(nodes: readonly TestReplica[]): Promise<number> {
  const leads = (node: TestReplica): boolean => {
    const { leader, self } = node.status();
    return leader === self;
  };
  await until('somebody leads', () => nodes.some(leads));
  return nodes.findIndex(leads);
}
