/**
 * A read-write transaction over groups: locks and reads, then two-phase commit. Its first group is
 * its coordinator; the decision is an entry of that group's log, so that it outlives its client.
 */
import { assert, OptionsError, type PrincipalId } from '@quorumlab/core';
import { maxValueBytes } from './limits.ts';
import type { Age, ShardResult, TransactionId, Write } from './operations.ts';
import { type Party, type PartyContext, party } from './party.ts';
import type { Router } from './router.ts';

/** Values by key, as they were read; null: there is none. */
export type Values = ReadonlyMap<string, Uint8Array | null>;

/** What a transaction still wants to lock and read, or what it writes and then is over. */
export type Step =
  | { readonly reads: readonly string[]; readonly writes: readonly string[] }
  | { readonly write: readonly Write[] };

/** How a transaction ended. */
export type TransactionEnd =
  /** Its writes are durable at `at`; `values` is what it read. */
  | { readonly kind: 'committed'; readonly at: number; readonly values: Values }
  /** It has done nothing, after so many attempts. */
  | { readonly kind: 'aborted'; readonly attempts: number }
  /** Its coordinator was out of reach for so long that it need not remember: nobody knows. */
  | { readonly kind: 'unknown' };

/** See {@link transaction}. */
export interface TransactionOptions {
  /** Who asks: the principal that the groups' logs see. */
  readonly client: PrincipalId;
  /** The number of its first attempt, and how many it may have: a client uses each number once. */
  readonly first: number;
  readonly attempts: number;
  readonly router: Router;
  /** All groups, to ask them where keys are. */
  readonly groups: readonly number[];
  /**
   * What comes next, once the values so far were read and these keys are locked for writing: pure,
   * because each attempt asks it anew. It writes only what it has locked for that.
   */
  readonly body: (values: Values, writable: ReadonlySet<string>) => Step;
  /** Called once. */
  readonly onEnd: (end: TransactionEnd) => void;
  /**
   * Microseconds for which a coordinator surely remembers what it has decided: half of the `keep`
   * of its shard. 30 s unless told.
   */
  readonly rememberedFor?: number;
  /** Microseconds between two tries to get a lock, or to hear of an outcome. 2 ms unless told. */
  readonly pollEvery?: number;
}

interface Attempt {
  readonly id: TransactionId;
  readonly values: Map<string, Uint8Array | null>;
  /** Keys that are locked for writing. */
  readonly writable: Set<string>;
  /** Keys that are locked. */
  readonly locked: Map<string, number>;
  /** Groups that were asked; the first is the coordinator. True: it has locks there. */
  readonly groups: Map<number, boolean>;
  /** Answers that are still awaited in this phase. */
  open: number;
  /** Whether it is being given up. */
  over: boolean;
}

/** A transaction, which tries again until it commits or its attempts are used up. */
export function transaction(options: TransactionOptions): Party {
  return party((ctx) => attempt(ctx, options, 0, undefined));
}

/** Throws for what no shard takes: the groups would refuse it again and again. */
function requireSize({ key, value }: Write): void {
  const size = value?.length ?? 0;
  if (size > maxValueBytes)
    throw new OptionsError(
      `the value of "${key}" has ${size} bytes and may have ${maxValueBytes}; split it`,
    );
}

function attempt(
  ctx: PartyContext,
  options: TransactionOptions,
  tried: number,
  before: Age | undefined,
): void {
  if (tried >= options.attempts) return options.onEnd({ kind: 'aborted', attempts: tried });
  const id = { client: options.client, number: options.first + tried };
  // Its age stays: so it becomes the oldest of all in the end, and nobody takes its locks.
  const age = before ?? { at: ctx.now(), ...id };
  const again = (): void => {
    const after = (options.pollEvery ?? 2000) * (1 + Math.min(tried, 15));
    ctx.later(after, () => attempt(ctx, options, tried + 1, age));
  };
  run(ctx, options, id, age, again);
}

function run(
  ctx: PartyContext,
  options: TransactionOptions,
  id: TransactionId,
  age: Age,
  again: () => void,
): void {
  const { router, body, pollEvery = 2000, rememberedFor = 30_000_000 } = options;
  const own: Attempt = {
    ...{ id, values: new Map(), writable: new Set(), locked: new Map(), groups: new Map() },
    ...{ open: 0, over: false },
  };
  /** When the coordinator was asked to commit. */
  let decidedAt: number | undefined;
  /** Whether keys may be elsewhere than where they were looked for. */
  let isLost = false;
  const coordinator = (): number => [...own.groups.keys()][0] as number;

  function next(): void {
    const step = body(own.values, own.writable);
    if ('write' in step) return finish(step.write);
    const wanted = new Map<number, { reads: string[]; writes: string[] }>();
    for (const [kind, keys] of Object.entries(step) as ['reads' | 'writes', readonly string[]][])
      for (const key of keys) {
        const group = own.locked.get(key) ?? router.groupOf(key);
        if (group === undefined) return own.groups.size > 0 ? giveUp(undefined) : refresh();
        const of = wanted.get(group) ?? { reads: [], writes: [] };
        of[kind].push(key);
        wanted.set(group, of);
      }
    assert(wanted.size > 0, 'a step of a transaction names keys, or writes');
    own.open = wanted.size;
    for (const group of wanted.keys()) if (!own.groups.has(group)) own.groups.set(group, false);
    for (const [group, keys] of wanted) lock(group, keys.reads, keys.writes);
  }

  function lock(
    group: number,
    reads: readonly string[],
    writes: readonly string[],
    waited = 0,
  ): void {
    const begun = own.groups.get(group) === true;
    const asked = { transaction: id, age, coordinator: coordinator(), begun, reads, writes };
    ctx.ask(group, { kind: 'access', ...asked }, 'ordered', (result) => {
      if (own.over) return;
      if (result?.kind === 'waiting') return ctx.later(pollEvery * 2 ** Math.min(waited, 4), retry);
      if (result?.kind !== 'granted') return giveUp(result);
      own.groups.set(group, true);
      for (const key of [...reads, ...writes]) own.locked.set(key, group);
      for (const key of writes) own.writable.add(key);
      for (const { key, value } of result.values) own.values.set(key, value);
      own.open -= 1;
      if (own.open === 0) next();
    });
    const retry = (): void => {
      if (!own.over) lock(group, reads, writes, waited + 1);
    };
  }

  function finish(writes: readonly Write[]): void {
    const byGroup = new Map<number, Write[]>([...own.groups.keys()].map((group) => [group, []]));
    for (const write of writes) {
      requireSize(write);
      const group = own.locked.get(write.key);
      assert(
        group !== undefined && own.writable.has(write.key),
        `"${write.key}" is written and was not named among the writes of a step before`,
      );
      byGroup.get(group)?.push(write);
    }
    const [first, ...participants] = [...own.groups.keys()];
    assert(first !== undefined, 'a transaction reads or locks something before it writes');
    const decide = (at: number): void => {
      decidedAt = ctx.now();
      ctx.ask(
        first,
        { kind: 'commit', transaction: id, writes: byGroup.get(first) ?? [], participants, at },
        'ordered',
        hear,
      );
    };
    if (participants.length === 0) return decide(0);
    let highest = 0;
    own.open = participants.length;
    for (const group of participants) {
      const prepare = {
        kind: 'prepare',
        transaction: id,
        writes: byGroup.get(group) ?? [],
      } as const;
      ctx.ask(group, prepare, 'ordered', (result) => {
        if (own.over) return;
        if (result?.kind !== 'prepared') return giveUp(result);
        highest = Math.max(highest, result.at);
        own.open -= 1;
        if (own.open === 0) decide(highest);
      });
    }
  }

  /** What the coordinator says of the decision. */
  function hear(result: ShardResult | undefined): void {
    if (result?.kind === 'deciding') {
      const ask = { kind: 'outcome', transaction: id } as const;
      return ctx.later(pollEvery, () => ctx.ask(coordinator(), ask, 'read', hear));
    }
    if (result?.kind === 'committed') return committed(result.at);
    // Who is unknown to its coordinator has aborted, or has committed long ago: then never again.
    if (result?.kind === 'aborted' && decidedAt !== undefined)
      if (ctx.now() - decidedAt > rememberedFor) return options.onEnd({ kind: 'unknown' });
    if (result?.kind === 'aborted' && own.over) return aborted();
    giveUp(result);
  }

  function committed(at: number): void {
    const participants = [...own.groups.keys()].slice(1);
    let open = participants.length;
    const forget = (): void =>
      ctx.ask(coordinator(), { kind: 'forget', transaction: id }, 'ordered', () => undefined);
    if (open === 0) forget();
    for (const group of participants)
      ctx.ask(group, { kind: 'resolve', transaction: id, at }, 'ordered', (result) => {
        // Of whom nothing was heard the coordinator's keeper tells it.
        if (result?.kind === 'done') open -= 1;
        if (open === 0) forget();
      });
    options.onEnd({ kind: 'committed', at, values: own.values });
  }

  /** Nobody may come to another outcome: the coordinator is asked, until it has answered. */
  function giveUp(why: ShardResult | undefined): void {
    own.over = true;
    if (why?.kind === 'elsewhere') router.learn(why.known);
    isLost ||= why === undefined || why.kind === 'elsewhere' || why.kind === 'refused';
    const ask = { kind: 'settle', transaction: id } as const;
    ctx.ask(coordinator(), ask, 'ordered', (result) => {
      if (result === undefined) return ctx.later(pollEvery, () => giveUp(why));
      hear(result);
    });
  }

  function aborted(): void {
    for (const group of [...own.groups.keys()].slice(1))
      ctx.ask(group, { kind: 'resolve', transaction: id, at: null }, 'ordered', () => undefined);
    if (isLost) refresh();
    else again();
  }

  /** Tries again; where keys are is asked for meanwhile, and nobody's silence holds it up. */
  function refresh(): void {
    own.over = true;
    for (const group of options.groups)
      ctx.ask(group, { kind: 'ranges' }, 'read', (result) => {
        if (result?.kind === 'ranges') router.learn(result.known);
      });
    again();
  }

  next();
}
