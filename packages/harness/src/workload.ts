import type { Random } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { requireNewName, type Scenario, ScenarioError, unknownName } from './scenario.ts';
import { zipfian } from './zipf.ts';

/** One thing that a client does. */
export interface Operation {
  readonly bytes: Uint8Array;
  readonly readOnly: boolean;
  /** For people: `put x 1`. */
  readonly label: string;
}

/** What clients do; every call gives the next operation of one client until there are no more. */
export interface Workload {
  next(client: number): Operation | undefined;
}

/** A workload preset, for lists and flags. */
export interface WorkloadEntry {
  readonly name: string;
  readonly title: string;
}

/** A workload of one's own: what clients of the key-value store do. */
export interface OwnWorkload extends WorkloadEntry {
  /**
   * The operations of a scenario; all that is drawn is drawn from `random`, so that a seed decides
   * it. No more of them are asked for than the scenario counts.
   */
  make(scenario: Scenario, random: Random): Workload;
}

/** Reads per hundred operations and what the rest is, after the YCSB core workloads. */
const mixes = {
  a: { title: 'YCSB A: half reads, half updates, zipfian keys', reads: 50, modify: false },
  b: { title: 'YCSB B: 95 % reads, 5 % updates, zipfian keys', reads: 95, modify: false },
  c: { title: 'YCSB C: only reads, zipfian keys', reads: 100, modify: false },
  f: {
    title: 'YCSB F: half reads, half read-modify-writes, zipfian keys',
    reads: 50,
    modify: true,
  },
} as const;

const list: WorkloadEntry[] = [
  { name: 'contest', title: 'each client writes its own name under one key: Ann, Bob, Cem, …' },
  ...Object.entries(mixes).map(([name, { title }]) => ({ name, title })),
  { name: 'writes', title: 'only writes of 100 bytes, zipfian keys' },
  { name: 'file', title: 'the commands of an NDJSON file (--workload FILE)' },
];

/** All workloads; those that were registered last. */
export const workloads: readonly WorkloadEntry[] = list;

const ours = list.length;

/** Whether every installation has the workload called `name`: it was not registered. */
export const isOurWorkload = (name: string): boolean =>
  list.slice(0, ours).some((each) => each.name === name);

const own = new Map<string, OwnWorkload>();

/**
 * Lets scenarios name one workload more, until what it returns is called. Throws a ScenarioError
 * (QL117) if its name is taken.
 */
export function registerWorkload(workload: OwnWorkload): () => void {
  requireNewName(
    'workload',
    workload.name,
    list.map(({ name }) => name),
  );
  list.push(workload);
  own.set(workload.name, workload);
  return () => {
    list.splice(list.indexOf(workload), 1);
    own.delete(workload.name);
  };
}

const names: readonly string[] = ['Ann', 'Bob', 'Cem', 'Dia', 'Eli', 'Fay', 'Gus', 'Hua'];

/** How many keys the presets use. */
const keys = 100;

const key = (i: number): string => `user${i}`;

/** The operations of `scenario`, in an order that only its seed decides. */
export function workloadOf(scenario: Scenario, random: Random): Workload {
  const { workload, count, commands } = scenario;
  let left = count;
  if (workload === 'file') return fileWorkload(commands ?? []);
  const limited = (make: (client: number, i: number) => Operation): Workload => ({
    next: (client) => (left > 0 ? make(client, count - left--) : undefined),
  });
  if (workload === 'contest')
    return limited((client, i) => {
      const name = names[client % names.length] as string;
      const value = i < scenario.clients ? name : `${name}${i}`;
      return { bytes: kv.put('winner', value), readOnly: false, label: value };
    });
  const made = own.get(workload)?.make(scenario, random);
  if (made !== undefined) return { next: (client) => (left-- > 0 ? made.next(client) : undefined) };
  const draw = zipfian(keys);
  if (workload === 'writes') {
    // Operations are copies of it.
    const value = new Uint8Array(100);
    return limited((client, i) => {
      value.fill(0x78);
      const name = `${client}.${i}.`;
      for (let at = 0; at < name.length; at++) value[at] = name.charCodeAt(at);
      return { bytes: kv.put(key(draw(random)), value), readOnly: false, label: `put ${name}…` };
    });
  }
  const mix = Object.hasOwn(mixes, workload) ? mixes[workload as keyof typeof mixes] : undefined;
  if (mix === undefined)
    throw unknownName(
      'workload',
      workload,
      workloads.map((each) => each.name),
    );
  return mixed(mix, left, draw, random);
}

const put = (name: string, value: string): Operation => ({
  bytes: kv.put(name, value),
  readOnly: false,
  label: `put ${name} ${value}`,
});

const get = (name: string): Operation => ({
  bytes: kv.get(name),
  readOnly: true,
  label: `get ${name}`,
});

/** A read-modify-write is a read followed, by the same client, by a write of the same key. */
function mixed(
  mix: { readonly reads: number; readonly modify: boolean },
  count: number,
  draw: (random: Random) => number,
  random: Random,
): Workload {
  let made = 0;
  const modifying = new Map<number, string>();
  return {
    next(client) {
      const waiting = modifying.get(client);
      if (waiting !== undefined) {
        modifying.delete(client);
        return put(waiting, `${client}.${made}`);
      }
      if (made >= count) return undefined;
      made++;
      const name = key(draw(random));
      if (random.below(100) < mix.reads) return get(name);
      if (!mix.modify) return put(name, `${client}.${made}`);
      modifying.set(client, name);
      return get(name);
    },
  };
}

/**
 * One command per line: `{"op":"put","key":"a","value":"1"}`, op being get, put, append,
 * delete or cas (with `expected`). Lines go to whichever client is free.
 */
function fileWorkload(lines: readonly string[]): Workload {
  const operations = lines.map(parseLine);
  let at = 0;
  return { next: () => operations[at++] };
}

function parseLine(line: string, i: number): Operation {
  const wrong = (what: string): ScenarioError =>
    new ScenarioError(
      'QL107',
      `line ${i + 1} of the workload ${what}; write e.g. {"op":"put","key":"a","value":"1"}.`,
    );
  let command: unknown;
  try {
    command = JSON.parse(line);
  } catch {
    throw wrong('is not JSON');
  }
  if (typeof command !== 'object' || command === null) throw wrong('is not an object');
  const part = (name: string): string => {
    const value: unknown = Object.getOwnPropertyDescriptor(command, name)?.value;
    if (typeof value !== 'string') throw wrong(`has no text "${name}"`);
    return value;
  };
  const name = part('key');
  switch (part('op')) {
    case 'get':
      return get(name);
    case 'put':
      return put(name, part('value'));
    case 'delete':
      return { bytes: kv.delete(name), readOnly: false, label: line };
    case 'append':
      return { bytes: kv.append(name, part('value')), readOnly: false, label: line };
    case 'cas':
      return {
        bytes: kv.compareAndSet(name, part('expected'), part('value')),
        readOnly: false,
        label: line,
      };
    default:
      throw wrong('has an "op" that is none of get, put, append, delete and cas');
  }
}
