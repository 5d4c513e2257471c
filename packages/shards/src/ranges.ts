/** Which keys are this group's, and how a range is split, merged and moved to another group. */
import { maxRanges } from './limits.ts';
import { end } from './locking.ts';
import type { Range, ShardOperation, ShardResult } from './operations.ts';
import type { ShardRules } from './rules.ts';
import type { OwnRange, ShardState } from './state.ts';
import { hasRoom, nextVersions, removeKey, setVersion } from './versions.ts';

type Of<K extends ShardOperation['kind']> = Extract<ShardOperation, { readonly kind: K }>;

const done: ShardResult = { kind: 'done' };
const noRange: ShardResult = { kind: 'refused', why: 'no range' };
const full: ShardResult = { kind: 'refused', why: 'full' };
const moving: ShardResult = { kind: 'refused', why: 'moving' };

/** Whether a range has a key. */
export const isIn = ({ from, to }: Pick<Range, 'from' | 'to'>, key: string): boolean =>
  key >= from && (to === null || key < to);

const plain = ({ from, to, group, epoch }: Range): Range => ({ from, to, group, epoch });

/** The range of this group that has `key`. */
const rangeOf = (state: ShardState, key: string): OwnRange | undefined =>
  state.ranges.find((range) => isIn(range, key));

/** Everything that this group knows of where keys are. */
export const knownBy = (state: ShardState): readonly Range[] => [
  ...state.ranges.map(plain),
  ...state.gone,
];

/** Why this group does not take these keys, if it does not. */
export function refusalOf(
  state: ShardState,
  keys: readonly string[],
  rules: ShardRules,
): ShardResult | undefined {
  for (const key of keys) {
    const range = rangeOf(state, key);
    if (range !== undefined && (range.frozen === null || !rules.fences)) continue;
    if (range !== undefined) return moving;
    const known = state.gone.filter((each) => isIn(each, key));
    return { kind: 'elsewhere', known };
  }
  return undefined;
}

/** Whether all versions of these keys up to `at` are, and stay, here. */
export function refusalToRead(
  state: ShardState,
  keys: readonly string[],
  at: number,
): ShardResult | undefined {
  for (const key of keys) {
    const range = rangeOf(state, key);
    if (range === undefined)
      return { kind: 'elsewhere', known: state.gone.filter((each) => isIn(each, key)) };
    if (range.frozen !== null && at > (range.frozen.at ?? Infinity)) return moving;
  }
  return undefined;
}

const replace = (state: ShardState, range: OwnRange, ...by: OwnRange[]): void => {
  state.ranges = [...state.ranges.filter((each) => each !== range), ...by].sort((one, other) =>
    one.from < other.from ? -1 : 1,
  );
};

/** Makes two ranges of one: the second begins at `at`. */
export function split(state: ShardState, { at }: Of<'split'>): ShardResult {
  const range = rangeOf(state, at);
  if (range === undefined) return noRange;
  if (range.from === at) return done;
  if (range.frozen !== null) return moving;
  if (state.ranges.length >= maxRanges) return full;
  const epoch = range.epoch + 1;
  replace(state, range, { ...range, to: at, epoch }, { ...range, from: at, epoch });
  return done;
}

/** Makes one range of the two that meet at `at`. */
export function merge(state: ShardState, { at }: Of<'merge'>): ShardResult {
  const right = state.ranges.find(({ from }) => from === at);
  const left = state.ranges.find(({ to }) => to === at);
  if (right === undefined && rangeOf(state, at) !== undefined) return done;
  if (left === undefined || right === undefined) return noRange;
  if (left.frozen !== null || right.frozen !== null) return moving;
  const epoch = Math.max(left.epoch, right.epoch) + 1;
  replace(state, right);
  replace(state, left, { ...left, to: right.to, epoch });
  return done;
}

/**
 * The fence: from here on the range takes nothing that is new, so that a copy of it is whole.
 * Whoever gathers locks in it makes way; what has prepared in it is waited for.
 */
export function freeze(
  state: ShardState,
  { first, group }: Of<'freeze'>,
  rules: ShardRules,
): ShardResult {
  const range = state.ranges.find(({ from }) => from === first);
  if (range === undefined || group === range.group) return noRange;
  const frozen = range.frozen ?? { group, at: null };
  if (frozen.at === null) {
    const isDrained = !rules.fences || drain(state, range);
    replace(state, range, { ...range, frozen: { ...frozen, at: isDrained ? state.floor : null } });
    if (!isDrained) return moving;
  }
  const target = { ...plain(range), group: frozen.group, epoch: range.epoch + 1 };
  return { kind: 'frozen', range: target, at: frozen.at ?? state.floor, horizon: state.horizon };
}

/** Ends what has not prepared in a range; whether nothing is left. */
function drain(state: ShardState, range: OwnRange): boolean {
  let isDrained = true;
  for (const each of [...state.transactions.values()]) {
    if (![...each.locks.keys()].some((key) => isIn(range, key))) continue;
    if (each.stage === 'active') end(state, each);
    else isDrained = false;
  }
  return isDrained;
}

/** The next versions of a range that is frozen. */
export function exported(state: ShardState, { first, after }: Of<'export'>): ShardResult {
  const range = state.ranges.find(({ from }) => from === first);
  if (range === undefined || range.frozen === null) return noRange;
  if (range.frozen.at === null) return moving;
  return { kind: 'versions', ...nextVersions(state, (key) => isIn(range, key), after) };
}

/** Whether this group has had a range of this epoch or a later one that has `key`. */
const knows = (state: ShardState, key: string, epoch: number): boolean =>
  knownBy(state).some((range) => range.epoch >= epoch && isIn(range, key));

/** Takes some versions of a range that is to come. What is here already stays as it is. */
export function importVersions(state: ShardState, told: Of<'import'>): ShardResult {
  const set = told.versions.map(({ key, value }) => ({ key, value }));
  if (!hasRoom(state, set)) return full;
  for (const { key, at, value } of told.versions) {
    // A mover that is late must not bring back what has gone on since.
    if (knows(state, key, told.epoch) || rangeOf(state, key) !== undefined) continue;
    setVersion(state, key, at, value);
  }
  return done;
}

/** The range is here as a whole: from now on it is this group's. */
export function adopt(state: ShardState, group: number, told: Of<'adopt'>): ShardResult {
  const { first: from, to, epoch, at, horizon } = told;
  if (knows(state, from, epoch)) return done;
  if (state.ranges.length >= maxRanges) return full;
  state.gone = state.gone.filter((each) => !(each.from >= from && (to === null || each.from < to)));
  state.ranges.push({ from, to, group, epoch, frozen: null });
  state.ranges.sort((one, other) => (one.from < other.from ? -1 : 1));
  state.floor = Math.max(state.floor, at);
  state.horizon = Math.max(state.horizon, horizon);
  return done;
}

/** The range is elsewhere as a whole: it is forgotten here, but for where it has gone. */
export function drop(state: ShardState, { first, epoch }: Of<'drop'>): ShardResult {
  const range = state.ranges.find(({ from }) => from === first);
  if (range === undefined || range.epoch + 1 !== epoch) return done;
  if (range.frozen === null || range.frozen.at === null) return moving;
  replace(state, range);
  for (const key of [...state.versions.keys()]) if (isIn(range, key)) removeKey(state, key);
  const { group } = range.frozen;
  const beyond = state.gone.filter(({ from }) => !isIn(range, from));
  state.gone = [...beyond, { ...plain(range), group, epoch }].slice(-maxRanges);
  return done;
}
