/**
 * What two commands cost that interfere: two clients ask two replicas for writes of one key at the
 * same moment, round after round. The command of replica 0 reaches all others first, so it takes
 * the fast path of EPaxos, and that of replica 1 the slow one.
 */
import { firstClient, type Instant, ms, type Request, range } from '@quorumlab/core';
import { type Epaxos, epaxos } from '@quorumlab/epaxos';
import { keyValueStore, kv, type Serviced, serviced } from '@quorumlab/log';
import { type Seat, simulate, uniformNetwork } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';

/** One-way delay of every message: far below every timeout, so that nothing is repeated. */
const oneWay = 10;
const network = uniformNetwork('unit', { delay: { type: 'constant', delay: oneWay } });
/** Long enough for all that follows from two commands, and too short for any timeout. */
const pause = 40 * oneWay;
const rounds = 5;

/** What came of one of the two commands, in one-way delays from its arrival at its replica. */
interface Delays {
  /** When its command leader says that it is committed. */
  readonly committed: number;
  /** When its client has its answer; the way of the request is one more. */
  readonly answered: number;
}

/** The cost of a pair, and the delays of each. */
export interface PairCost {
  /** Copies sent, and bytes of one copy, by kind. */
  readonly kinds: Readonly<Record<string, { readonly copies: number; readonly bytes: number }>>;
  readonly flushes: number;
  readonly fast: Delays;
  readonly slow: Delays;
}

/** Counts what a pair of commands costs in the steady state of `n` replicas. */
export function costOfPair(n: number): PairCost {
  const group = serviced(epaxos({ n, fastPathWait: 1 }));
  const { messages } = group;
  const authority = idealAuthority();
  const committed = new Map<number, Instant>();
  const answered = new Map<number, Instant>();
  const simulation = simulate<Serviced<Epaxos>>({
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: group, self }),
    seats: [
      ...range(n).map(
        (self): Seat<Serviced<Epaxos>> => ({
          principal: self,
          make: (stable) =>
            group.machine(self, {
              stateMachine: keyValueStore,
              digest: digestOf,
              ...(stable ? { stable } : {}),
            }),
        }),
      ),
      ...[0, 1].map(
        (leader): Seat<Serviced<Epaxos>> => ({
          principal: firstClient + leader,
          make: () => group.client(firstClient + leader, { leader }),
        }),
      ),
    ],
    members: range(n),
    network,
    countBytes: true,
    inputs: {
      next: () => undefined,
      answered: (at, seat) => void answered.set(seat - n, at),
    },
    watcher: {
      said(at, _seat, message) {
        if (message.kind !== 'commit') return;
        for (const { client } of message.value.commands as readonly Request[])
          if (!committed.has(client - firstClient)) committed.set(client - firstClient, at);
      },
    },
    seed: 1,
    limits: { until: ms(1000) },
  });
  let nextId = 0;
  const round = (): Instant => {
    const at = simulation.now + pause;
    committed.clear();
    answered.clear();
    for (const client of [0, 1]) {
      const operation = kv.put('key', `${nextId % 2}`);
      const event = { type: 'submit', id: nextId++, operation, readOnly: false } as const;
      simulation.input({ at, seat: n + client, event });
    }
    simulation.runUntil(at + pause);
    return at;
  };
  round();
  const before = simulation.counters;
  let asked = 0;
  for (let i = 0; i < rounds; i++) asked = round();
  const after = simulation.counters;
  const delaysOf = (client: number): Delays => {
    const since = (at: Instant | undefined): number => ((at ?? 0) - asked) / oneWay - 1;
    return { committed: since(committed.get(client)), answered: since(answered.get(client)) };
  };
  const kinds = Object.entries(after.kinds).map(([kind, { sent, bytes }]) => {
    const copies = sent - (before.kinds[kind]?.sent ?? 0);
    const all = bytes - (before.kinds[kind]?.bytes ?? 0);
    return [kind, { copies: copies / rounds, bytes: all / copies }] as const;
  });
  return {
    kinds: Object.fromEntries(kinds.filter(([, { copies }]) => copies > 0)),
    flushes: (after.syncs - before.syncs) / rounds,
    fast: delaysOf(0),
    slow: delaysOf(1),
  };
}
