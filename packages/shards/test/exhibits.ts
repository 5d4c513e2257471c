/** A schedule for each wrong rule, which breaks something with it and not without. */
import type { ShardMutant, ShardRules } from '../src/index.ts';
import { type Asked, asked, epsilon, id, write } from './asked.ts';

/** Commits a key by itself, and lets time go on until it is told of; its timestamp, and when. */
function commitAlone(
  shard: Asked,
  number: number,
  at: number,
  offset: number,
): { readonly timestamp: number; readonly told: number } {
  shard.access(number, at, ['k']);
  shard.commit(number, 'k', `value ${number}`);
  for (let now = at; ; now++) {
    shard.tick(now, offset);
    const result = shard.outcome(number);
    if (result.kind === 'committed') return { timestamp: result.at, told: now };
  }
}

/** One commits by a clock that is right or fast, the next in another group by one that is slow. */
function laterIsLower(rules: ShardRules, fast: number): string | undefined {
  const first = commitAlone(asked(rules), 1, 100, fast);
  const second = commitAlone(asked(rules, 1), 2, first.told + 1, -epsilon);
  if (second.timestamp > first.timestamp) return undefined;
  return (
    `one committed at ${first.timestamp} and was told at ${first.told}; one that began after it ` +
    `committed at ${second.timestamp}`
  );
}

function woundWait(rules: ShardRules): string | undefined {
  const shard = asked(rules);
  shard.access(1, 20, ['k']);
  const old = shard.access(2, 10, ['k']);
  if (old.kind !== 'granted') return `the older has to wait for the younger: ${old.kind}`;
  const young = shard.access(3, 30, ['k']);
  return young.kind === 'waiting' ? undefined : 'the younger has taken a lock of the older';
}

function circle(rules: ShardRules): string | undefined {
  const shards = [asked(rules), asked(rules, 1)] as const;
  shards[0].access(1, 10, ['k']);
  shards[1].access(2, 20, ['k']);
  const results = [shards[1].access(1, 10, ['k']), shards[0].access(2, 20, ['k'])];
  return results.every(({ kind }) => kind === 'waiting') ? 'both wait for each other' : undefined;
}

function lostUpdate(rules: ShardRules): string | undefined {
  const shard = asked(rules);
  shard.access(1, 20, ['k'], ['k']);
  shard.access(2, 10, ['k'], ['k']);
  shard.commit(2, 'k', 'old');
  for (const at of [100, 120]) shard.tick(at);
  const young = shard.commit(1, 'k', 'young');
  return young.kind === 'aborted' ? undefined : `one whose locks were taken commits: ${young.kind}`;
}

function forgotten(rules: ShardRules): string | undefined {
  const [one, other] = [asked(rules), asked(rules, 1, undefined, { patience: 1000 })];
  one.access(1, 10, ['x']);
  other.access(1, 10, ['y']);
  const { client } = id(1);
  const writes = [write('y', 'paid')];
  const prepared = other.ask(client, { kind: 'prepare', transaction: id(1), writes });
  if (prepared.kind !== 'prepared') throw new Error(prepared.kind);
  // Its coordinator is slow.
  for (let at = 100; at < 5000; at += 500) other.tick(at);
  one.commit(1, 'x', 'paid', [1], prepared.at);
  for (const at of [5000, 5020]) one.tick(at);
  const decided = one.outcome(1);
  if (decided.kind !== 'committed') throw new Error(decided.kind);
  other.ask(client, { kind: 'resolve', transaction: id(1), at: decided.at });
  other.tick(6000);
  return other.valueAt('y', 5900) === 'paid' ? undefined : 'half of what was committed is missing';
}

function twice(rules: ShardRules): string | undefined {
  const shard = asked(rules, 0, undefined, { patience: 1000 });
  commitAlone(shard, 1, 100, 0);
  // Its client hears nothing for a while, and asks again.
  for (let at = 500; at < 9000; at += 500) shard.tick(at);
  const settled = shard.ask(id(1).client, { kind: 'settle', transaction: id(1) });
  return settled.kind === 'committed' ? undefined : 'who has committed is told to do it again';
}

function unseen(rules: ShardRules): string | undefined {
  const slow = asked(rules, 1);
  const seen = slow.query({ kind: 'work' });
  const first = commitAlone(asked(rules), 1, 100, epsilon);
  slow.access(2, first.told + 1, ['k']);
  slow.commit(2, 'k', 'later');
  // What the keeper read at 90 arrives only now.
  slow.tick(90, 0, seen);
  for (const after of [40, 80]) slow.tick(first.told + after);
  const second = slow.outcome(2);
  if (second.kind !== 'committed') throw new Error(second.kind);
  return second.at > first.timestamp
    ? undefined
    : `one that began after the commit at ${first.timestamp} committed at ${second.at}`;
}

function seenEarly(rules: ShardRules): string | undefined {
  const shard = asked(rules);
  shard.access(1, 90, ['k']);
  shard.commit(1, 'k', 'new');
  shard.tick(100, epsilon);
  const timestamp = 100 + 2 * epsilon;
  const early = shard.valueAt('k', timestamp);
  const later = shard.valueAt('k', 101);
  return early === 'new' && later === null
    ? 'one reads the new value, and a slow clock that reads after it the old one'
    : undefined;
}

function readTwice(rules: ShardRules): string | undefined {
  const shard = asked(rules);
  shard.tick(10);
  shard.access(1, 10, ['k']);
  const { client } = id(1);
  const writes = [write('k', 'new')];
  const prepared = shard.ask(client, { kind: 'prepare', transaction: id(1), writes });
  if (prepared.kind !== 'prepared') throw new Error(prepared.kind);
  shard.tick(200);
  const at = prepared.at + 20;
  const before = shard.valueAt('k', at);
  shard.ask(client, { kind: 'resolve', transaction: id(1), at: prepared.at + 10 });
  const after = shard.valueAt('k', at);
  return before === undefined || before === after
    ? undefined
    : `at ${at} the key was ${before} and then ${after}`;
}

function unfenced(rules: ShardRules): string | undefined {
  const [from, to] = [asked(rules), asked(rules, 1, [])];
  from.access(1, 10, ['k']);
  const move = () => from.ask(1, { kind: 'freeze', first: '', group: 1 });
  const frozen = move();
  if (frozen.kind !== 'frozen') throw new Error(frozen.kind);
  const copied = from.query({ kind: 'export', first: '', epoch: 2, after: null });
  if (copied.kind !== 'versions') throw new Error(copied.kind);
  from.commit(1, 'k', 'late');
  for (const at of [100, 120]) from.tick(at);
  const isCommitted = from.outcome(1).kind === 'committed';
  const { range, at, horizon } = frozen;
  const { epoch } = range;
  to.ask(1, { kind: 'import', first: '', epoch, versions: copied.versions });
  to.ask(1, { kind: 'adopt', first: '', to: null, epoch, at, horizon });
  from.ask(1, { kind: 'drop', first: '', epoch });
  to.tick(300);
  return isCommitted && to.valueAt('k', 290) !== 'late'
    ? 'what was committed during the move is nowhere'
    : undefined;
}

/** What is broken with these rules, in words; nothing: all holds. */
export const exhibits: Readonly<Record<ShardMutant, (rules: ShardRules) => string | undefined>> = {
  'commit-wait-latest': (rules) => laterIsLower(rules, 0),
  'no-commit-wait': (rules) => laterIsLower(rules, 0),
  'stamp-earliest': (rules) => laterIsLower(rules, epsilon),
  'wound-wait-reversed': woundWait,
  'never-wound': circle,
  'wounds-unminded': lostUpdate,
  'forget-prepared': forgotten,
  'forget-committed': twice,
  'stamp-unseen': unseen,
  'seen-before-over': seenEarly,
  'tsafe-ignores-prepared': readTwice,
  'move-without-fence': unfenced,
};

/** A clock beyond its bound: the same as a wrong rule, and the rules are right. */
export const clockBeyondBound = (rules: ShardRules): string | undefined => laterIsLower(rules, 40);
