import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attackOf,
  attacks,
  commandLine,
  completeScenario,
  protocols,
  quoted,
  type Scenario,
  type ScenarioFault,
  workloads,
} from '@quorumlab/harness';
import { Command } from 'commander';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type ScenarioFlags, scenarioOf, withScenarioFlags } from './flags.ts';

const folder = mkdtempSync(join(tmpdir(), "quorumlab again's-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const commands = ['{"op":"put","key":"a","value":"1"}', '{"op":"get","key":"a"}'];
const file = join(folder, 'two commands.ndjson');
writeFileSync(file, `${commands.join('\n')}\n`);

/** The words of a line as a shell makes them: what is in quotes stays together. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [piece, space, inside, escaped] of line.matchAll(/( +)|'([^']*)'|\\(.)|[^ '\\]+/g)) {
    if (space !== undefined || words.length === 0) words.push('');
    if (space === undefined) words[words.length - 1] += inside ?? escaped ?? piece;
  }
  return words;
}

/** The scenario that our own parser reads out of a line. */
function scenarioIn(words: readonly string[]): Scenario {
  let read: Scenario | undefined;
  const program = new Command('quorumlab').exitOverride();
  withScenarioFlags(program.command('run <protocol>')).action(
    (protocol: string, flags: ScenarioFlags) => void (read = scenarioOf(protocol, flags)),
  );
  program.parse([...words.slice(1)], { from: 'user' });
  return read as unknown as Scenario;
}

const n = 12;
const node = fc.nat(n - 1);
const leader = fc.oneof(fc.constant('leader' as const), node);
const at = fc.oneof(fc.integer({ min: 1, max: 3_000_000 }), fc.constantFrom(1000, 900_000));
const nodes = fc.uniqueArray(node, { maxLength: 4 });
const later = fc.integer({ min: 1, max: 1_000_000 });
const split = fc.record({
  type: fc.constant('split' as const),
  at,
  groups: fc.array(nodes, { minLength: 1, maxLength: 3 }),
});
/** What people tell with a flag, and everything else that a scenario can hold. */
const someFaults: fc.Arbitrary<readonly ScenarioFault[]> = fc.oneof(
  fc.tuple(at, leader).map(([at, node]) => [{ type: 'crash', at, node } as const]),
  fc
    .tuple(at, leader, later)
    .map(([at, node, more]) => [
      { type: 'crash', at, node } as const,
      { type: 'restart', at: at + more, node } as const,
    ]),
  split.map((each) => [each]),
  fc
    .tuple(split, later)
    .map(([each, more]) => [each, { type: 'heal', at: each.at + more } as const]),
  fc
    .tuple(at, leader, fc.constantFrom('synced', 'nothing', 'backup', 'lost'))
    .map(([at, node, disk]) => [{ type: 'restart', at, node, disk } as const]),
  fc
    .tuple(fc.constantFrom('pause', 'resume'), at, leader)
    .map(([type, at, node]) => [{ type, at, node } as const]),
  fc.tuple(at, node).map(([at, node]) => [{ type: 'backup', at, node } as const]),
  fc
    .tuple(at, nodes, nodes)
    .map(([at, from, to]) => [{ type: 'cut', at, from, to, kinds: ["it's", 'vote'] } as const]),
  fc
    .tuple(at, node, fc.integer())
    .map(([at, node, by]) => [{ type: 'skew', at, node, by, driftPerBillion: 1000 } as const]),
  fc
    .tuple(at, node)
    .map(([at, node]) => [{ type: 'disk', at, node, disk: { torn: true, lies: false } } as const]),
);

const options = {
  raft: { heartbeat: 20_000, preVote: false },
  hotstuff: { rules: 'chained', maxBatch: 3 },
  'flexible-paxos': { q1: 7, q2: 6 },
} as const;

const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    protocol: fc.constantFrom(...protocols.map(({ name }) => name)),
    attack: fc.constantFrom(...attacks.map(({ name }) => name)),
    f: fc.constantFrom(undefined, 0, 1, 3, 5),
    mutant: fc.constantFrom(undefined, 'figure-8', "mallory's"),
    unsafe: fc.constantFrom(undefined, true as const),
    quorum: fc.constantFrom(undefined, 1, 7, 12),
    events: fc.constantFrom(undefined, 1000),
    withOptions: fc.boolean(),
    network: fc.constantFrom('lan', 'wan', 'psync:gst=2s,delta=20ms'),
    clocks: fc.constantFrom('perfect', 'offset=5ms,drift=100ppm,epsilon=7ms'),
    by: fc.uniqueArray(node, { maxLength: 3 }),
    faults: fc.array(someFaults, { maxLength: 4 }).map((each) => each.flat()),
    workload: fc.constantFrom(...workloads.map(({ name }) => name)),
    count: fc.constantFrom(undefined, 1, 2, 20, 500),
    clients: fc.integer({ min: 1, max: 9 }),
    outstanding: fc.integer({ min: 1, max: 9 }),
    until: fc.constantFrom(5_000_000, 20_000_000, 4_000_001),
    crypto: fc.constantFrom('ideal' as const, 'ed25519' as const),
    seed: fc.constantFrom('42', '7', 'a word', "it's", '-5', '$HOME', 'ключ', '*'),
  })
  .map(({ f, mutant, unsafe, quorum, events, withOptions, by, workload, count, ...given }) => {
    const own = Object.entries(options).find(([name]) => name === given.protocol)?.[1];
    const lies = attackOf(given.attack).needs === 'byzantine';
    return completeScenario({
      ...given,
      n,
      workload,
      ...(f === undefined ? {} : { f }),
      ...(mutant === undefined ? {} : { mutant }),
      ...(unsafe === undefined ? {} : { unsafe }),
      ...(quorum === undefined ? {} : { quorum }),
      ...(events === undefined ? {} : { events }),
      ...(withOptions && own !== undefined ? { options: own } : {}),
      ...(lies && by.length > 0 ? { by } : {}),
      ...(workload === 'file' ? { commands, commandsFrom: file, count: count ?? 2 } : {}),
      ...(workload !== 'file' && count !== undefined ? { count } : {}),
    });
  });

test('the line that runs a scenario again, read by our own parser, gives an equal scenario', () => {
  const property = fc.property(scenarios, (scenario) => {
    expect(scenarioIn(wordsOf(commandLine(scenario)))).toEqual(scenario);
  });
  fc.assert(property, { numRuns: 1000 });
});

test('a shell makes of a quoted word what it was', () => {
  const words = ["it's", 'a b', '$HOME', '*', '"', '\\', '{"a":[1]}', '`date`', 'ключ', ''];
  const script = `printf '%s\\n' ${words.map(quoted).join(' ')}`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`${words.join('\n')}\n`);
  expect(wordsOf(words.map(quoted).join(' '))).toEqual(words);
});

test('a fault that --fault cannot read is named, and what is wrong with it', () => {
  const wrong: Readonly<Record<string, string>> = {
    'pause 1': 'takes JSON',
    '{"type":"pose","at":1,"node":1}': 'takes a type of crash, pause',
    '{"type":"pause","at":-1,"node":1}': 'pause has no good "at"',
    '{"type":"pause","at":1}': 'pause has no good "node"',
    '{"type":"heal","at":1,"node":1}': 'heal has no good "node"',
    '{"type":"disk","at":1,"node":1,"disk":{"slow":true}}': 'disk has no good "disk"',
    '{"type":"cut","at":1,"from":[1],"to":"all"}': 'cut has no good "to"',
    null: 'takes a type of',
  };
  for (const [fault, sentence] of Object.entries(wrong))
    expect(() => scenarioOf('raft', { fault: [fault] }), fault).toThrow(sentence);
});
