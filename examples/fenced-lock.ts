// A lock on Raft, and a client that pauses for longer than its session lasts. It still believes in
// its lock when it goes on. A resource that does not check the lock's fencing token takes its write
// after that of the next holder; one that does refuses it. No lock of any system can do without.
import { decode, encode, firstClient } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import {
  Fence,
  type LockOperation,
  type LockResult,
  lockOperation,
  lockResult,
  lockService,
  type Sequencer,
} from '@quorumlab/locks';
import { raft } from '@quorumlab/raft';

// Here clients 2 to 4 keep the time; in a cluster each member does (`timeKeeper`).
const keepers = [2, 3, 4];
const { submit } = simulateService(raft({ n: 3 }), {
  stateMachine: () =>
    lockService({ keepers: keepers.map((each) => firstClient + each), faulty: 1 }),
  clients: 5,
});
const ask = (client: number, operation: LockOperation): LockResult =>
  decode(lockResult, submit(encode(lockOperation, operation), { client }));

function tick(elapsed: number | null): void {
  for (const keeper of keepers) ask(keeper, { kind: 'tick', elapsed });
}

/** Lets `seconds` go by in the log. */
function pass(seconds: number): void {
  for (let i = 0; i < 2 * seconds; i++) tick(500_000);
}

/** Opens a session and takes the lock of the printer; its token. */
function take(client: number): Sequencer {
  const opened = ask(client, { kind: 'open' });
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const { session } = opened;
  const mode = 'exclusive';
  const asked = { kind: 'acquire', session, name: 'printer', mode, wait: false, delay: 0 } as const;
  const held = ask(client, asked);
  if (held.kind !== 'held') throw new Error(held.kind);
  return held.sequencer;
}

/** A resource that many may write to. */
function printer(fence?: Fence): { print(text: string, token: Sequencer): void; paper: string[] } {
  const paper: string[] = [];
  return {
    paper,
    print(text, token) {
      if (fence === undefined || fence.admits(token)) paper.push(text);
      else console.log(`refused: "${text}" with token ${token.generation}`);
    },
  };
}

tick(null);
const resources = { careless: printer(), careful: printer(new Fence()) };
const [ann, bob] = [0, 1];

const first = take(ann);
console.log(`Ann has the lock, with token ${first.generation}, and pauses`);
pass(13);
const second = take(bob);
console.log(`her session is over; Bob has the lock, with token ${second.generation}`);
for (const { print } of Object.values(resources)) {
  print('page 1 of Bob', second);
  print('page 1 of Ann', first);
  print('page 2 of Bob', second);
}
for (const [name, { paper }] of Object.entries(resources))
  console.log(`${name}: ${paper.join(', ')}`);
