// A bank on PBFT. Replica 3 tells clients another balance than the true one. A client believes what
// f+1 = 2 replicas say in the same bytes, so one liar alone is never believed.
import { type Behaviour, rewrite } from '@quorumlab/adversary';
import { firstClient, type Machine, toUtf8 } from '@quorumlab/core';
import { client, type Serviced, type StateMachine, service, serviceMessages } from '@quorumlab/log';
import { type Pbft, pbft } from '@quorumlab/pbft';
import { lan, type ScheduledInput, type Seat, simulate } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';

type Banking = Serviced<Pbft>;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** `move FROM TO AMOUNT` answers `done` or why not; `balance NAME` answers with a number. */
function bank(): StateMachine {
  let accounts = new Map(Object.entries({ ann: 100, bob: 100 }));
  function run(operation: Uint8Array): string {
    const [verb, from = '', to = '', amount = ''] = text(operation).split(' ');
    const held = accounts.get(from);
    if (verb === 'balance') return `${held ?? 'no such account'}`;
    if (verb !== 'move' || !/^[1-9]\d{0,8}$/.test(amount)) return 'malformed';
    const other = accounts.get(to);
    if (held === undefined || other === undefined || from === to) return 'no such accounts';
    if (held < Number(amount)) return 'not enough money';
    accounts.set(from, held - Number(amount)).set(to, other + Number(amount));
    return 'done';
  }
  return {
    apply: (operation) => toUtf8(run(operation)),
    query: (operation) => toUtf8(text(operation).startsWith('balance ') ? run(operation) : 'no'),
    snapshot: () => toUtf8(JSON.stringify([...accounts].sort())),
    restore(snapshot) {
      accounts = new Map(JSON.parse(text(snapshot)));
    },
  };
}

/** Says to every client that it is rich, signed with its own key: it has no other. */
const flatterer: Behaviour<Banking> = (honest, power) =>
  rewrite(honest, power.members, (to, message) => {
    if (message.kind !== 'reply') return [{ to, message }];
    power.fire('flatter');
    return [{ to, message: { ...message, results: message.results.map(() => toUtf8('1000000')) } }];
  });

const protocol = pbft({ n: 4, digest: digestOf });
const replicas = protocol.members.map(
  (self): Seat<Banking> => ({
    principal: self,
    traitor: self === 3,
    make(stable, host) {
      const make = (from?: Banking['Stable']): Machine<Banking> =>
        service<Pbft>(protocol, self, {
          stateMachine: bank,
          digest: digestOf,
          ...(from ? { stable: from } : {}),
        });
      if (self !== 3) return make(stable);
      const { members } = protocol;
      return flatterer(make(stable), { protocol: { members }, members, make, ...host });
    },
  }),
);
const customer: Seat<Banking> = {
  principal: firstClient,
  // A client speaks only the service's messages, which every replica of any protocol understands.
  make: () => client(protocol.client, protocol.members, firstClient) as unknown as Machine<Banking>,
};

const wishes = ['move ann bob 30', 'move ann bob 80', 'balance ann', 'balance bob'];
let asked = 0;
function nextAt(at: number): ScheduledInput<Banking> | undefined {
  const wish = wishes[asked];
  if (wish === undefined) return undefined;
  const operation = toUtf8(wish);
  return { at, seat: 4, event: { type: 'submit', id: asked++, operation, readOnly: false } };
}

const authority = idealAuthority();
const messages = serviceMessages(protocol.messages);
const { counters } = simulate<Banking>({
  messages,
  keyring: (_seat, self) => idealKeyring({ authority, messages, protocol, self }),
  // Only the protocol's own messages have signed parts inside.
  evidence: (message) =>
    protocol.messages.of(message.kind) === undefined
      ? []
      : (protocol.evidence?.(message as Pbft['Message']) ?? []),
  seats: [...replicas, customer],
  network: lan,
  inputs: {
    next: () => (asked === 0 ? nextAt(1000) : undefined),
    answered(at, _seat, { id, result, error }) {
      console.log(`${wishes[id]}: ${result ? text(result) : error}`);
      return nextAt(at);
    },
  },
  seed: 1,
  limits: { until: 10_000_000 },
}).run();
console.log(`lies told: ${counters.fired.flatter ?? 0}`);
