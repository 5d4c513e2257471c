import type { Call, Model, ModelState, Partition } from './history.ts';
import {
  giveSpaceBack,
  openHeadOf,
  orderEvents,
  relink,
  type Space,
  spaceFor,
  unlink,
  wordsFor,
} from './search-space.ts';
import { addLast, forget, type Memory, makeRoom, type SeenLists, seenLists } from './seen.ts';

/**
 * The search for an order of one partition, after Wing and Gong ("Testing and verifying concurrent
 * objects", 1993): take any call that nobody who returned before it waits for, go on, and go back
 * when a call that returned can no longer be taken. With Lowe's memory ("Testing for
 * linearizability", 2017): what was taken together with the state it led to is never entered twice.
 *
 * Calls are numbered here from 0: those that returned by invocation, then those that may never have
 * run. The search can be stopped after any step and taken up again.
 */
export interface Search<S extends ModelState, I, O> {
  readonly model: Model<S, I, O>;
  readonly partition: Partition;
  readonly calls: readonly Call<I, O>[];
  /** How many of `calls` returned. */
  readonly returned: number;

  /**
   * Invocations and returns of calls that returned, in order of time, as a circular list from node
   * 0, and from `openHead` the invocations of the others. Earlier nodes have lower numbers. Calls
   * that are taken are not in the lists.
   */
  readonly next: Int32Array;
  readonly previous: Int32Array;
  readonly openHead: number;
  /** -1 for the two heads. */
  readonly callAt: Int32Array;
  readonly invokeNode: Int32Array;
  /** 0 for a call that never returned. */
  readonly returnNode: Int32Array;

  /** One bit for each call that is taken: returned calls, and apart from them the others. */
  readonly taken: Int32Array;
  readonly takenOpen: Int32Array;
  /** So many words of `takenOpen` are in use. */
  readonly openWords: number;
  /** Calls in the order taken; after `i` of them states[i], and the highest that returned. */
  readonly stack: Int32Array;
  readonly states: Int32Array;
  readonly highest: Int32Array;
  depth: number;
  /** The first returned call that is not taken. */
  low: number;
  /** How many returned calls are not taken. */
  missing: number;
  /** The next invocation or return to look at. */
  node: number;
  /** The first return in the list, while calls that may never have run are looked at. */
  blocked: number;
  /** How many steps the search has made. */
  steps: number;

  /** Where its arrays lie; those of a small search are longer than it needs. */
  readonly space: Space;
  readonly stateNumbers: Map<S, number>;
  readonly stateValues: S[];
  readonly seen: SeenLists;

  /** The last return that the search stood before, and in which order it came there. */
  furthest: number;
  readonly furthestStack: Int32Array;
  furthestDepth: number;
  furthestState: number;
  /** So many calls of the stack are the same as in `furthestStack`. */
  unchanged: number;
}

/** `open`: steps are used up. `full`: memory is used up, and the search is over undecided. */
export type Outcome = 'open' | 'found' | 'impossible' | 'full';

/** A search before its first step, or undefined if memory does not suffice for it. */
export function searchOf<S extends ModelState, I, O>(
  model: Model<S, I, O>,
  history: readonly Call<I, O>[],
  partition: Partition,
  memory: Memory,
): Search<S, I, O> | undefined {
  const seen = seenLists(memory);
  if (seen === undefined) return undefined;
  const calls = callsOf(history, partition);
  const returned = partition.returned.length;
  const openWords = wordsFor(calls.length - returned);
  const space = spaceFor(calls.length);
  const { taken, takenOpen, stack, states, highest, furthestStack } = space;
  taken.fill(0, 0, wordsFor(returned));
  takenOpen.fill(0, 0, openWords);
  states[0] = 0;
  highest[0] = -1;
  orderEvents(calls, returned, space);
  const { next, previous, callAt, invokeNode, returnNode } = space;
  return {
    model,
    partition,
    calls,
    returned,
    next,
    previous,
    openHead: openHeadOf(calls, returned),
    callAt,
    invokeNode,
    returnNode,
    taken,
    takenOpen,
    openWords,
    stack,
    states,
    highest,
    depth: 0,
    low: 0,
    missing: returned,
    node: next[0] as number,
    blocked: 0,
    steps: 0,
    space,
    stateNumbers: new Map<S, number>().set(model.initial, 0),
    stateValues: [model.initial],
    seen,
    furthest: 0,
    furthestStack,
    furthestDepth: 0,
    furthestState: 0,
    unchanged: 0,
  };
}

function callsOf<I, O>(history: readonly Call<I, O>[], partition: Partition): Call<I, O>[] {
  const calls: Call<I, O>[] = [];
  for (const part of [partition.returned, partition.open])
    for (let i = 0; i < part.length; i++) calls.push(history[part[i] as number] as Call<I, O>);
  return calls;
}

/**
 * Goes on for so many steps. Every step looks at one node, or goes back by one call. Calls that may
 * never have run are tried last, when a return stands in the way: most of them are not needed.
 */
export function advance<S extends ModelState, I, O>(
  search: Search<S, I, O>,
  steps: number,
): Outcome {
  const { next, callAt, invokeNode, returned, openHead } = search;
  for (let left = steps; search.missing > 0; left--) {
    if (left <= 0) return 'open';
    search.steps++;
    const { node } = search;
    const call = callAt[node] as number;
    if (node === openHead || (call >= returned && node > search.blocked)) {
      if (search.depth === 0) return 'impossible';
      search.node = next[giveBack(search)] as number;
    } else if (invokeNode[call] === node) {
      const taking = take(search, call);
      if (taking === 'full') return 'full';
      search.node = next[taking === 'taken' ? 0 : node] as number;
    } else {
      keepFurthest(search, node);
      search.blocked = node;
      search.node = next[openHead] as number;
    }
  }
  return 'found';
}

/** Gives the memory of a search back to the others: nobody may look at it any more. */
export function finish<S extends ModelState, I, O>(search: Search<S, I, O>): void {
  forget(search.seen);
  giveSpaceBack(search.space);
  for (const state of search.stateValues) search.seen.memory.bytesLeft += costOf(state);
  search.seen.memory.bytesLeft -= costOf(search.model.initial);
}

function take<S extends ModelState, I, O>(
  search: Search<S, I, O>,
  call: number,
): 'taken' | 'refused' | 'full' {
  const { model, calls, returned, stack, states, highest, depth, stateValues } = search;
  const { input, output } = calls[call] as Call<I, O>;
  const from = states[depth] as number;
  const after = model.step(stateValues[from] as S, input, output);
  if (after === undefined) return 'refused';
  const state = numberOf(search, after);
  if (state < 0) return 'full';
  const mustRun = call < returned;
  // A call that may never have run and changes nothing is of no use here.
  if (!mustRun && state === from) return 'refused';
  const { low } = search;
  highest[depth + 1] = Math.max(highest[depth] as number, mustRun ? call : -1);
  flip(search, call);
  while (search.low < returned && isTaken(search, search.low)) search.low++;
  const entering = enter(search, state, highest[depth + 1] as number);
  if (entering !== 'new') {
    flip(search, call);
    search.low = low;
    return entering === 'full' ? 'full' : 'refused';
  }
  stack[depth] = call;
  states[depth + 1] = state;
  search.depth = depth + 1;
  if (mustRun) search.missing--;
  unlink(search, search.invokeNode[call] as number);
  if (mustRun) unlink(search, search.returnNode[call] as number);
  return 'taken';
}

/** Takes the last call back; gives the node of its invocation. */
function giveBack<S extends ModelState, I, O>(search: Search<S, I, O>): number {
  const call = search.stack[--search.depth] as number;
  search.unchanged = Math.min(search.unchanged, search.depth);
  flip(search, call);
  const node = search.invokeNode[call] as number;
  if (call < search.returned) {
    search.low = Math.min(search.low, call);
    search.missing++;
    relink(search, search.returnNode[call] as number);
  } else search.blocked = firstReturn(search);
  relink(search, node);
  return node;
}

function firstReturn<S extends ModelState, I, O>(search: Search<S, I, O>): number {
  const { next, callAt, invokeNode } = search;
  let node = next[0] as number;
  while (invokeNode[callAt[node] as number] === node) node = next[node] as number;
  return node;
}

function keepFurthest<S extends ModelState, I, O>(search: Search<S, I, O>, node: number): void {
  if (node <= search.furthest) return;
  const { stack, depth, unchanged } = search;
  search.furthest = node;
  search.furthestStack.set(stack.subarray(unchanged, depth), unchanged);
  search.furthestDepth = depth;
  search.furthestState = search.states[depth] as number;
  search.unchanged = depth;
}

/**
 * Remembers the calls taken and the state, if they are new. All calls below `low` that returned
 * are taken, so only the words from there to the highest are kept: a long history costs no more
 * for each entry than a short one.
 */
function enter<S extends ModelState, I, O>(
  { seen, taken, takenOpen, openWords, low }: Search<S, I, O>,
  state: number,
  highest: number,
): 'new' | 'old' | 'full' {
  const first = low >>> 5;
  const end = Math.max(first, wordsFor(highest + 1));
  const length = 3 + end - first + openWords;
  if (!makeRoom(seen, length)) return 'full';
  const { words } = seen;
  let at = seen.used;
  words[at++] = length;
  words[at++] = first;
  words[at++] = state;
  for (let i = first; i < end; i++) words[at++] = taken[i] as number;
  for (let i = 0; i < openWords; i++) words[at++] = takenOpen[i] as number;
  return addLast(seen) ? 'new' : 'old';
}

/** What a state costs in memory beside its words: two bytes a character and its places in lists. */
const costOf = (state: ModelState): number =>
  100 + (typeof state === 'string' ? 2 * state.length : 0);

/** The number of a state, below 0 if there is no memory for a new one. */
function numberOf<S extends ModelState, I, O>(search: Search<S, I, O>, state: S): number {
  const known = search.stateNumbers.get(state);
  if (known !== undefined) return known;
  const { memory } = search.seen;
  if (memory.bytesLeft < costOf(state)) return -1;
  memory.bytesLeft -= costOf(state);
  search.stateNumbers.set(state, search.stateValues.length);
  return search.stateValues.push(state) - 1;
}

type Bits = Pick<Search<never, unknown, unknown>, 'taken' | 'takenOpen' | 'returned'>;

function isTaken({ taken }: Bits, call: number): boolean {
  return (((taken[call >>> 5] as number) >>> (call & 31)) & 1) === 1;
}

function flip({ taken, takenOpen, returned }: Bits, call: number): void {
  const bits = call < returned ? taken : takenOpen;
  const bit = call < returned ? call : call - returned;
  bits[bit >>> 5] = (bits[bit >>> 5] as number) ^ (1 << (bit & 31));
}
