/**
 * What no scenario has: groups that change, a liar who tells one replica both stories, and leaders
 * whom an election has chosen too early.
 */
import { ms, range, replica, type Signature, seal } from '@quorumlab/core';
import { type AnyShape, completeScenario, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { encodeChange, multiPaxos } from '@quorumlab/multi-paxos';
import { simulate } from '@quorumlab/sim';
import { digestOf } from '@quorumlab/wire';
import { type ZabMessage, zab } from '@quorumlab/zab';

/** Each asked for when the one before is answered; the last one is refused. */
const groups = [[1, 2], range(4), [1, 2, 3], [0, 1], [9]];

/** The lines that run while a group of four becomes smaller, larger and another one. */
export function changes(seed: number): readonly string[] {
  const prepared = prepare(
    completeScenario({ protocol: 'multi-paxos', n: 4, clients: 1, seed: `${seed}` }),
  );
  const seat = prepared.firstClientSeat;
  const submit = (id: number, what: { operation: Uint8Array; configuration?: true }) =>
    ({ type: 'submit', id, readOnly: false, ...what }) as const;
  let asked = 0;
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    seed: `${seed}`,
    limits: { until: ms(30_000) },
    strict: true,
    inputs: {
      next: () => undefined,
      answered(at) {
        asked += 1;
        const members = groups[Math.floor(asked / 2)];
        if (members === undefined) return undefined;
        const what =
          asked % 2 === 0
            ? ({ operation: encodeChange(members), configuration: true } as const)
            : { operation: kv.append('log', 'x') };
        return { at: at + ms(50), seat, event: submit(asked, what) };
      },
    },
  });
  const first = submit(0, { operation: encodeChange(groups[0] ?? []), configuration: true });
  simulation.input({ at: 0, seat, event: first });
  return Object.keys(simulation.run().counters.lines);
}

/** The lines of a replica that gets two proposals for one slot in one ballot. */
export function twoStories(): readonly string[] {
  const follower = replica(multiPaxos({ n: 3 }), 1, { digest: digestOf });
  const seal = { from: 0, signature: new Uint8Array(0) as Signature };
  const command = { kind: 'request', client: 0, sequence: 1, acknowledged: 0 } as const;
  const stories = [[], [{ ...command, operations: [new Uint8Array(1)], ...seal }]];
  return stories.flatMap((value) => {
    const accept = { kind: 'accept', ballot: 3, slot: 0, value, firstUnchosen: 0 } as const;
    const event = { type: 'message', message: { ...accept, ...seal } } as const;
    return follower.step({ now: 0, clock: { earliest: 0, latest: 0 }, event }).lines;
  });
}

/** The lines of a replica of Zab that hears `messages`, each with its sender; it looks first. */
function lookingAt(
  self: number,
  stable: object,
  messages: readonly (readonly [from: number, ZabMessage])[],
): readonly string[] {
  const protocol = zab({ n: 3 });
  const looking = replica(protocol, self, {
    digest: digestOf,
    stable: { ...protocol.stable(), ...stable },
  });
  const none = new Uint8Array(0) as Signature;
  const events = [
    { type: 'timeout', timer: 'election' } as const,
    ...messages.map(([from, message]) => {
      return { type: 'message', message: seal<ZabMessage>(message, from, none) } as const;
    }),
  ];
  return events.flatMap(
    (event) => looking.step({ now: 0, clock: { earliest: 0, latest: 0 }, event }).lines,
  );
}

/**
 * The lines of a follower that has promised its leader's epoch to another, and of a prospective
 * leader that hears of a better history than its own: elections that find the best make both rare.
 */
export function outrunLeaders(): readonly string[] {
  const zxid = { epoch: 0, counter: 0 };
  const vote = { kind: 'notification', round: 1, leader: 2, currentEpoch: 0, zxid } as const;
  const later = { epoch: 3, counter: 1 };
  return [
    ...lookingAt(0, { acceptedEpoch: 5, acceptedFrom: 1 }, [
      [1, { ...vote, state: 'following' }],
      [2, { ...vote, state: 'leading' }],
      [2, { kind: 'newepoch', epoch: 5, beat: 0 }],
    ]),
    ...lookingAt(2, {}, [
      [0, { ...vote, state: 'looking' }],
      [1, { ...vote, state: 'looking' }],
      [0, { kind: 'cepoch', acceptedEpoch: 0, acceptedFrom: null }],
      [
        0,
        {
          kind: 'ack-e',
          ...{ epoch: 1, leader: 2, currentEpoch: 3, lastZxid: later, held: later, beat: 0 },
        },
      ],
    ]),
  ];
}
