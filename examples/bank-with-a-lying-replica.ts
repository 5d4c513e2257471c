// A bank on HotStuff whose first leader lies in every way it can: half of the replicas it tells of
// other transfers, and clients it tells that they are rich. A block without a quorum is replaced
// together with its leader; a client believes what f+1 = 2 replicas say in the same bytes.
import { type Behaviour, chain, equivocate, rewrite } from '@quorumlab/adversary';
import { firstClient, type Machine, toUtf8 } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import {
  client,
  type LogShape,
  type Serviced,
  type StateMachine,
  service,
  serviceMessages,
} from '@quorumlab/log';
import { lan, type ScheduledInput, type Seat, simulate } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';

type Banking = Serviced<LogShape>;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** `FROM TO AMOUNT` moves money; the answer is what both have then. */
function bank(): StateMachine {
  let accounts = new Map(Object.entries({ ann: 100, bob: 100 }));
  const show = (): Uint8Array => toUtf8(JSON.stringify([...accounts]));
  return {
    apply(operation) {
      const [from = '', to = '', amount = ''] = text(operation).split(' ');
      const held = accounts.get(from) ?? 0;
      const other = accounts.get(to);
      const moved = /^\d{1,9}$/.test(amount) ? Number(amount) : 0;
      if (other === undefined || from === to || held < moved) return toUtf8('refused');
      accounts.set(from, held - moved).set(to, other + moved);
      return show();
    },
    ...{ query: show, snapshot: show },
    restore(snapshot) {
      accounts = new Map(JSON.parse(text(snapshot)));
    },
  };
}

/** Says to every client that it is rich, signed with its own key: it has no other. */
const flatterer: Behaviour<Banking> = (honest, power) =>
  rewrite(honest, power.members, (to, message) => {
    const flattery = { results: [toUtf8('you have 1000000')] };
    return [{ to, message: message.kind === 'reply' ? { ...message, ...flattery } : message }];
  });
const twoFaces = equivocate<Banking>((to) => to === 2 || to === 3);
const liar: Behaviour<Banking> = chain(flatterer, twoFaces);

const protocol = protocolOf('hotstuff').create({ n: 4, f: 1, options: { rules: 'chained' } });
const application = { stateMachine: bank, digest: digestOf };
const replicas = protocol.members.map(
  (self): Seat<Banking> => ({
    principal: self,
    traitor: self === 0,
    make(stable, host) {
      const make = (from?: Banking['Stable']): Machine<Banking> =>
        service(protocol, self, { ...application, ...(from ? { stable: from } : {}) });
      if (self !== 0) return make(stable);
      const { members } = protocol;
      return liar(make(stable), { protocol, members, make, ...host });
    },
  }),
);
const customer: Seat<Banking> = {
  principal: firstClient,
  make: () => client(protocol.client, protocol.members, firstClient) as unknown as Machine<Banking>,
};

const wishes = ['ann bob 30', 'ann bob 80', 'bob ann 5'];
let asked = 0;
function nextAt(at: number): ScheduledInput<Banking> | undefined {
  if (asked === wishes.length) return undefined;
  const operation = toUtf8(wishes[asked] ?? '');
  return { at, seat: 4, event: { type: 'submit', id: asked++, operation, readOnly: false } };
}

const authority = idealAuthority();
const messages = serviceMessages(protocol.messages);
const simulation = simulate<Banking>({
  messages,
  keyring: (_seat, self) => idealKeyring({ authority, messages, protocol, self }),
  evidence: (message) =>
    protocol.messages.of(message.kind) === undefined ? [] : (protocol.evidence?.(message) ?? []),
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
});
const { counters } = simulation.run();
console.log(`two stories told: ${(counters.fired.equivocate ?? 0) > 0}`);
console.log(`replica 0 led, now it is replica ${simulation.seat(1).status?.leader}`);
