// A bank on PBFT. Replica 3 tells clients another balance than the true one. A client believes what
// f+1 = 2 replicas say in the same bytes, so one liar alone is never believed.
import { type Behaviour, rewrite } from '@quorumlab/adversary';
import { toUtf8 } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import type { Serviced, StateMachine } from '@quorumlab/log';
import { type Pbft, pbft } from '@quorumlab/pbft';
import { digestOf } from '@quorumlab/wire';

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
const flatterer: Behaviour<Serviced<Pbft>> = (honest, power) =>
  rewrite(honest, power.members, (to, message) => {
    if (message.kind !== 'reply') return [{ to, message }];
    power.fire('flatter');
    return [{ to, message: { ...message, results: message.results.map(() => toUtf8('1000000')) } }];
  });

const protocol = pbft({ n: 4, digest: digestOf });
const { simulation, submit } = simulateService(protocol, {
  stateMachine: bank,
  traitors: { 3: flatterer },
});
for (const wish of ['move ann bob 30', 'move ann bob 80', 'balance ann', 'balance bob'])
  console.log(`${wish}: ${text(submit(toUtf8(wish)))}`);
console.log(`lies told: ${simulation.counters.fired.flatter ?? 0}`);
