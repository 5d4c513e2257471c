/**
 * The smallest protocol that orders requests: replica 0 numbers them. It survives no fault of
 * replica 0; it is here to try the service without a real protocol's complications.
 */
import {
  type ClientPolicy,
  type Context,
  type Digest,
  digest,
  type Infer,
  integer,
  list,
  message,
  messages,
  ms,
  nullable,
  type Protocol,
  type Replica,
  type Request,
  range,
  request,
  type Shape,
  type Signed,
  signed,
} from '@quorumlab/core';

const order = message('order', { slot: integer(), commands: list(signed(request), 64) });
const pull = message('pull', { next: integer() });
const moved = message('moved', { slot: integer(), root: digest });
const field = messages(order, pull, moved);

export interface Sequencer extends Shape {
  readonly Stable: {
    readonly log: ReadonlyMap<number, readonly Signed<Request>[]>;
    readonly base: number;
    readonly root: Digest | null;
  };
  readonly Volatile: { next: number };
  readonly Message: Infer<typeof field>;
  readonly Timer: 'pull';
  readonly Command: Signed<Request>;
}

export interface SequencerOptions {
  readonly n?: number;
  readonly policy?: ClientPolicy;
  readonly snapshotEvery?: number;
  readonly snapshotsKept?: number;
  readonly readable?: boolean;
  readonly faults?: 'crash' | 'byzantine';
}

export const honest: ClientPolicy = { matching: 1, ask: 'leader', signed: false };

function learn(replica: Replica<Sequencer>, ctx: Context<Sequencer>): void {
  while (replica.log.has(replica.next)) replica.next++;
  if (ctx.self !== 0) ctx.setTimer('pull', [ms(40), ms(60)]);
}

export function sequencer(options: SequencerOptions = {}): Protocol<Sequencer> {
  const { n = 3, policy = honest, snapshotEvery = 0, readable = true } = options;
  const { snapshotsKept = 1, faults = 'crash' } = options;
  const protocol: Protocol<Sequencer> = {
    name: 'sequencer',
    version: 1,
    claims: { faults, replicas: (f) => 2 * f + 1, order: 'total' },
    members: range(n),
    f: 0,
    client: policy,
    messages: field,
    stored: { log: list(signed(request), 64), base: integer(), root: nullable(digest) },
    snapshotEvery,
    snapshotsKept,
    stable: () => ({ log: new Map(), base: 0, root: null }),
    volatile: ({ base }) => ({ next: base }),
    start(replica, ctx) {
      for (const [slot, commands] of replica.log) ctx.decide(slot, commands);
      learn(replica, ctx);
    },
    propose(replica, command, ctx) {
      if (ctx.self !== 0) return;
      const slot = replica.next++;
      ctx.put('log', slot, [command]);
      ctx.broadcast({ kind: 'order', slot, commands: [command] });
    },
    on: {
      order(replica, { from, slot, commands }, ctx) {
        if (from !== 0 || slot < replica.base) return;
        if (ctx.self !== 0) ctx.put('log', slot, commands);
        ctx.decide(slot, commands);
        learn(replica, ctx);
      },
      pull(replica, { from, next }, ctx) {
        if (ctx.self !== 0) return;
        if (next < replica.base && replica.root !== null)
          return ctx.send(from, { kind: 'moved', slot: replica.base - 1, root: replica.root });
        for (let slot = next; slot < Math.min(replica.next, next + 8); slot++)
          ctx.send(from, { kind: 'order', slot, commands: replica.log.get(slot) ?? [] });
      },
      moved(_replica, { from, slot, root }, ctx) {
        if (from === 0) ctx.fetchSnapshot(slot, root, range(n));
      },
    },
    timeout(replica, _timer, ctx) {
      ctx.send(0, { kind: 'pull', next: replica.next });
      ctx.setTimer('pull', [ms(40), ms(60)]);
    },
    snapshotTaken(replica, slot, root, ctx) {
      ctx.drop('log', { below: slot + 1 });
      ctx.save({ base: slot + 1, root });
      replica.next = Math.max(replica.next, slot + 1);
    },
    snapshotInstalled(replica, slot, root, ctx) {
      protocol.snapshotTaken?.(replica, slot, root, ctx);
      learn(replica, ctx);
    },
    status: () => ({ leader: 0, term: 1, role: 'sequencer' }),
  };
  if (!readable) return protocol;
  return { ...protocol, read: (replica, id, ctx) => ctx.allowRead(id, replica.next - 1) };
}
