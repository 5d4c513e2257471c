/** What an operator reads: the logs of small groups to which the usual things happen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kv, type ServiceMessage } from '@quorumlab/log';
import { createLogger, type Logger } from '@quorumlab/node';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { agreement, groupsOfTests, leaderOf } from './support/groups.ts';
import { type Outsider, outsider, requestOf } from './support/outsider.ts';
import { pbftOf, raftOf, type TestClient } from './support/replicas.ts';

const groupOf = groupsOfTests();
const outsiders: Outsider[] = [];
afterEach(async () => {
  await Promise.all(outsiders.splice(0).map(({ mesh }) => mesh.stop()));
});

type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string };

/** A log that is kept. */
class Kept {
  readonly lines: Line[] = [];
  readonly logger: Logger = createLogger({
    destination: { write: (line) => void this.lines.push(JSON.parse(line) as Line) },
  });

  of(msg: string): Line[] {
    return this.lines.filter((line) => line.msg === msg);
  }
}

const put = async (client: TestClient, count: number): Promise<void> => {
  await Promise.all(
    Array.from({ length: count }, (_, i) => client.propose(kv.put(`${i}`, 'x'.repeat(100)))),
  );
};

test('a log tells starts, elections, peers, snapshots and transfers, and whose', async () => {
  const group = await groupOf(raftOf({ n: 3, snapshotEvery: 16, keepEntries: 4 }));
  const kept = [0, 1, 2].map(() => new Kept());
  const logOf = (id: number): Kept => kept[id] as Kept;
  const nodes = await group.startAll((id) => ({ logger: logOf(id).logger }));
  const client = await group.client();
  await client.propose(kv.put('a', '1'));
  const leader = await leaderOf(nodes);
  const lagging = (leader + 1) % 3;
  await nodes[lagging]?.stop();
  // For a follower that answered within an election timeout, 300 ms, its entries would be kept.
  await sleep(400);
  for (let k = 0; k < 60; k++) await put(client, 1);
  const again = await group.start(lagging, { logger: logOf(lagging).logger });
  nodes[lagging] = again;
  await agreement(nodes);
  await nodes[leader]?.stop();
  await client.propose(kv.put('b', '2'));
  await Promise.all(nodes.map((node) => node.stop()));

  for (const [node, { lines }] of kept.entries())
    for (const line of lines)
      expect(line).toMatchObject({
        node,
        role: 'replica',
        protocol: 'raft',
        group: 'log',
      });
  const number = expect.any(Number);
  expect(logOf(leader).of('The replica has started.')).toMatchObject([{ ms: number, applied: -1 }]);
  expect(logOf(leader).of('The replica has stopped.')).toMatchObject([{ ms: number }]);
  expect(logOf(leader).of('This replica leads a new term.')).toMatchObject([{ leader }]);
  const told = logOf(lagging).of('Another replica leads a new term.');
  expect(told[0]).toMatchObject({ leader, term: number, before: { leader: null } });
  const gone = logOf(leader)
    .of('A peer is gone.')
    .filter(({ peer }) => peer === lagging);
  expect(gone[0]).toMatchObject({ reason: expect.any(String), connectedMs: number });
  const met = logOf(leader)
    .of('A peer is connected.')
    .filter(({ peer }) => peer === lagging);
  expect(met).toHaveLength(2);
  expect(met[0]?.direction).toMatch(/inbound|outbound/);
  expect(logOf(leader).of('Took a snapshot.')[0]).toMatchObject({ slot: number, bytes: number });
  const fetched = logOf(lagging).of('Fetches a snapshot from another replica.');
  const installed = logOf(lagging).of('Took over a snapshot of another replica.');
  expect(fetched[0]).toMatchObject({ from: leader, slot: number });
  expect(installed[0]).toMatchObject({ slot: number, ms: number });
  const levels = new Set(kept.flatMap(({ lines }) => lines.map(({ level }) => level)));
  expect(levels).toEqual(new Set(['info']));
});

test('a flood of refused frames is a few lines by peer and reason, with counts', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const kept = new Kept();
  const node = await group.start(0, { logger: kept.logger });
  const liar = await outsider(group, 65_537);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  const frame = liar.frame(requestOf(65_537), {}, new Uint8Array(64));
  for (let k = 0; k < 500; k++) liar.mesh.send(0, frame);
  await until('it was cut off', () => node.status().counters.mesh.resets > 0);
  await node.stop();
  const lines = kept.of('Refused a frame.');
  expect(lines.length).toBeLessThan(10);
  const { refused } = node.status().counters;
  const count = lines.reduce((sum, { suppressed }) => sum + Number(suppressed ?? 1), 0);
  expect(count).toBe(refused['bad-signature']);
  expect(lines[0]).toMatchObject({ level: 'warn', peer: 65_537, reason: 'bad-signature' });
  expect(kept.of('Cut off a peer after repeated offences.')).toHaveLength(1);
  // What waited behind them was not looked at, and is counted too.
  expect(count + refused['cut-off']).toBeLessThanOrEqual(500);
});

test('a member that breaks its word is an error by its number, and counted', async () => {
  const group = await groupOf(pbftOf({ n: 4 }));
  const kept = new Kept();
  const node = await group.start(0, { logger: kept.logger });
  const liar = await outsider(group, 2);
  outsiders.push(liar);
  await liar.mesh.ready(1);
  // Two votes in one place. The frame of any message of the group is made alike.
  for (const digest of ['a', 'b']) {
    const vote = { kind: 'prepare', epoch: 0, view: 0, sequence: 1, digest: digest.repeat(64) };
    liar.mesh.send(0, liar.frame(vote as unknown as ServiceMessage));
  }
  await until('it was noticed', () => node.status().counters.accusations === 1);
  const [line] = kept.of(
    'A member said two things of which only one may be said: it lies, or runs twice.',
  );
  expect(line).toMatchObject({ level: 'error', peer: 2, reason: 'prepare' });
});

test('who sends more than may wait is held, and none of its frames is lost', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const limits = { waitingPerPeer: 4, passedOnPerPeer: 4 };
  const node = await group.start(0, { limits });
  const frames = 1_000;
  // A client for itself, and a member that passes on what clients ask.
  for (const id of [65_536, 2]) {
    const peer = await outsider(group, id);
    outsiders.push(peer);
    await peer.mesh.ready(1);
    const before = node.status().counters;
    const frame = peer.frame(requestOf(id), {}, new Uint8Array(0));
    for (let k = 0; k < frames; k++) expect(peer.mesh.send(0, frame)).toBe(true);
    const { steps, notNeeded, mesh } = before;
    await until('all were looked at', () => {
      const now = node.status().counters;
      return now.steps - steps + now.notNeeded - notNeeded >= frames;
    });
    expect(node.status().counters.refused).toEqual(before.refused);
    expect(node.status().counters.mesh.pauses).toBeGreaterThan(mesh.pauses);
  }
});

test('operations of this process beyond the bounds are refused, said and counted', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const kept = new Kept();
  const node = await group.start(0, { logger: kept.logger, limits: { waitingSubmits: 2 } });
  const stop = AbortSignal.timeout(100);
  await Promise.allSettled(
    Array.from({ length: 8 }, () => node.log.propose(kv.put('a', '1'), { signal: stop })),
  );
  expect(node.status().counters.refusedSubmits).toBe(6);
  expect(kept.of('Refused an operation of this process: too many wait.')[0]).toBeDefined();
});
