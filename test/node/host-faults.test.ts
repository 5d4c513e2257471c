import { equivocate } from '@quorumlab/adversary';
import { type Decision, ms, type PrincipalId, type Signed, toHex } from '@quorumlab/core';
import { type Files, nodeFiles } from '@quorumlab/disk';
import { kv, type LogShape, type Serviced, serviced } from '@quorumlab/log';
import { publicKeysOf } from '@quorumlab/node';
import {
  checkGuiltProof,
  detector,
  digestOf,
  domainOf,
  guiltProof,
  judge,
  openGuiltProof,
  type Proof,
  type ProofGroup,
} from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { until } from '../../packages/node/test-support/cluster.ts';
import { agreement, groupsOfTests, leaderOf } from './support/groups.ts';
import {
  type AnyProtocol,
  type Changes,
  pbftOf,
  raftOf,
  type TestReplica,
} from './support/replicas.ts';

const groupOf = groupsOfTests();

/** Node's file operations, with a disk that stops working when told. */
function breakable(): { readonly files: Files; broken: boolean } {
  const disk = {
    broken: false,
    files: {
      ...nodeFiles,
      async open(...place: Parameters<Files['open']>) {
        const file = await nodeFiles.open(...place);
        return {
          ...file,
          async datasync() {
            if (disk.broken)
              throw Object.assign(new Error('EIO: i/o error'), {
                code: 'EIO',
                syscall: 'fdatasync',
              });
            await file.datasync();
          },
        };
      },
    },
  };
  return disk;
}

test('a disk that fails stops its replica by name, which says nothing more', async () => {
  const group = await groupOf(raftOf({ n: 3 }));
  const disk = breakable();
  let said = 0;
  const hooks = { said: () => void said++ };
  const changes = (id: number): Changes => (id === 2 ? { files: disk.files, hooks } : {});
  const nodes = await group.startAll(changes);
  const client = await group.client();
  await client.propose(kv.put('a', '1'));
  disk.broken = true;
  const [victim] = nodes.slice(2);
  const before = said;
  const load = Promise.all(
    Array.from({ length: 50 }, (_, i) => client.propose(kv.put(`${i}`, 'x'))),
  );
  const error = await victim?.failed;
  expect(error).toMatchObject({ name: 'DiskFailedError' });
  const after = said;
  // What it may have said between the fault and the first failed write needed no disk.
  expect(after - before).toBeLessThan(50);
  await load;
  expect(said).toBe(after);
  expect(victim?.status().peers).toEqual([]);
  await expect(victim?.log.propose(kv.put('b', '2'))).rejects.toMatchObject({
    name: 'StoppedError',
  });
  await agreement(nodes.slice(0, 2));
  // Its folder is free, and holds all it ever promised.
  const again = await group.start(2);
  await agreement([...nodes.slice(0, 2), again]);
});

type AnyMessage = Serviced<LogShape>['Message'];

interface Attacked {
  readonly nodes: readonly TestReplica[];
  readonly liar: number;
  /** What each replica decided: commands in text, by slot. */
  readonly decided: readonly ReadonlyMap<number, string>[];
  readonly proof: () => Proof<AnyMessage> | undefined;
  readonly verified: () => boolean;
}

/** A group under load whose leader tells the last replica something else than the others. */
async function attacked(protocol: AnyProtocol): Promise<Attacked> {
  const group = await groupOf(protocol);
  const members = protocol.members;
  const decided = members.map(() => new Map<number, string>());
  const told = serviced(protocol);
  const watch = detector(told);
  let proof: Proof<AnyMessage> | undefined;
  const nodes = await group.startAll((id) => ({
    allowFaults: true,
    signatures: 'ed25519',
    hooks: {
      decided: (_at, decision) => void decided[id]?.set(decision.slot, commandsOf(decision)),
      heard: (message: Signed<AnyMessage>) => {
        proof ??= watch.observe(message);
      },
    },
  }));
  const clients = await Promise.all([0, 1].map((i) => group.client(i, { signatures: 'ed25519' })));
  await Promise.all(clients.map((client) => client.propose(kv.put('before', '1'))));
  const liar = await leaderOf(nodes);
  const [victim = 0] = members.filter((id) => id !== liar).slice(-1);
  nodes[liar]?.setBehaviour(equivocate((to: PrincipalId) => to === victim));
  const end = new AbortController();
  for (const [c, client] of clients.entries())
    for (let i = 0; i < 20; i++)
      client.propose(kv.put(`client ${c}`, `${i}`), { signal: end.signal }).catch(() => undefined);
  await until('the liar lied', () => (nodes[liar]?.status().counters.fired ?? 0) > 0);
  const publicKeys = publicKeysOf(group.cluster);
  const known: ProofGroup = {
    domain: domainOf(protocol, group.cluster),
    f: protocol.f,
    options: {},
    publicKeys: members.map((id) => publicKeys.get(id) as Uint8Array),
  };
  return {
    nodes,
    liar,
    decided,
    proof: () => proof,
    verified() {
      if (proof === undefined) return false;
      const { first, second } = proof;
      const guilty = judge(told, {
        statements: [first, second],
        contents: new Map(),
        forgotten: 0,
      });
      const file = openGuiltProof(guiltProof(told, known, guilty));
      const verdict = checkGuiltProof(file, told, { group: known });
      return verdict.holds && verdict.culprits.every(({ signer }) => signer === proof?.signer);
    },
  };
}

const commandsOf = ({ commands }: Decision<Serviced<LogShape>>): string =>
  commands
    .map(({ client, sequence, operations }) => `${client}/${sequence}/${operations.map(toHex)}`)
    .join();

/** Slots at which two replicas, neither of them the liar, decided different commands. */
function forks({ decided, liar }: Attacked): number[] {
  const honest = decided.filter((_, id) => id !== liar);
  const slots = new Set(honest.flatMap((each) => [...each.keys()]));
  return [...slots].filter((slot) => {
    const said = honest.flatMap((each) => each.get(slot) ?? []);
    return said.some((each) => each !== said[0]);
  });
}

test('a lying leader makes honest replicas of raft decide differently, and is proven', async () => {
  const attack = await attacked(raftOf({ n: 3 }));
  await until('raft has forked', () => forks(attack).length > 0);
  await until('two signatures show who lied', () => attack.proof() !== undefined);
  expect(attack.proof()?.signer).toBe(attack.liar);
  expect(attack.verified()).toBe(true);
});

test('the same lie does not fork pbft, which goes on, and the liar is proven', async () => {
  const attack = await attacked(pbftOf({ n: 4, requestTimeout: ms(200), digest: digestOf }));
  const honest = attack.nodes.filter((_, id) => id !== attack.liar);
  await honest[0]?.log.propose(kv.put('after', '1'));
  await agreement(honest);
  await until('two signatures show who lied', () => attack.proof() !== undefined);
  expect(attack.proof()?.signer).toBe(attack.liar);
  expect(attack.verified()).toBe(true);
  expect(forks(attack)).toEqual([]);
});
