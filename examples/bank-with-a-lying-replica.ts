// A bank on HotStuff whose first leader lies in every way it can: half of the replicas it tells of
// other transfers, and clients it tells that they are rich. A block without a quorum is replaced
// together with its leader; a client believes what f+1 = 2 replicas say in the same bytes.
import { type Behaviour, chain, equivocate, rewrite } from '@quorumlab/adversary';
import { toUtf8 } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import { type HotStuff, hotstuff } from '@quorumlab/hotstuff';
import type { Serviced, StateMachine } from '@quorumlab/log';
import { digestOf } from '@quorumlab/wire';

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
const flatterer: Behaviour<Serviced<HotStuff>> = (honest, power) =>
  rewrite(honest, power.members, (to, message) => {
    const flattery = { results: [toUtf8('you have 1000000')] };
    return [{ to, message: message.kind === 'reply' ? { ...message, ...flattery } : message }];
  });
const twoFaces = equivocate<Serviced<HotStuff>>((to) => to === 2 || to === 3);

const protocol = hotstuff({ n: 4, rules: 'chained', digest: digestOf });
const { simulation, submit } = simulateService(protocol, {
  stateMachine: bank,
  traitors: { 0: chain(flatterer, twoFaces) },
});
for (const wish of ['ann bob 30', 'ann bob 80', 'bob ann 5'])
  console.log(`${wish}: ${text(submit(toUtf8(wish)))}`);
console.log(`two stories told: ${(simulation.counters.fired.equivocate ?? 0) > 0}`);
console.log(`replica 0 led, now it is replica ${simulation.seat(1).status?.leader}`);
