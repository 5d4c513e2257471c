import { range } from '@quorumlab/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attacks } from './attacks.ts';
import { completeScenario } from './defaults.ts';
import type { Edit } from './edits.ts';
import { engine } from './engine.ts';
import {
  clocks,
  demo,
  linkOf,
  linkOfScenario,
  most,
  networks,
  otherRun,
  placeOf,
  type Settings,
  scenarioOf,
} from './link.ts';
import { protocols } from './protocols.ts';
import { readsWords } from './read-words.ts';
import { runScenario } from './run.ts';

const names = protocols.map(({ name }) => name);
const pair = (words: readonly string[]): fc.Arbitrary<readonly [string, string]> =>
  fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words));
const seat = fc.nat(40);
const at = fc.nat(9_999_999);
/** Groups of `size`, of which the last may be smaller. */
const cut = (all: readonly number[], size: number): number[][] =>
  range(Math.ceil(all.length / size)).map((i) => all.slice(i * size, (i + 1) * size));
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ type: fc.constantFrom('crash', 'restart', 'timeout'), at, node: seat }),
  fc.record({ type: fc.constant('heal' as const), at }),
  fc.record({
    type: fc.constant('split' as const),
    at,
    groups: fc
      .uniqueArray(seat, { minLength: 2, maxLength: 9 })
      .chain((all) => fc.integer({ min: 1, max: all.length - 1 }).map((size) => cut(all, size))),
  }),
  fc.record({ from: seat, to: seat, nth: fc.nat(999), does: fc.constantFrom('drop', 'twice') }),
  fc.record({
    from: seat,
    to: seat,
    nth: fc.nat(999),
    does: fc.constant('move' as const),
    after: at,
  }),
);
const some = fc.array(edit, { maxLength: 4 });
const traitors = fc.option(fc.uniqueArray(seat, { maxLength: 3 }), { nil: undefined });
const told = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), {
  maxLength: 3,
});
const settings: fc.Arbitrary<Settings> = fc.record({
  protocols: pair(names),
  mutants: pair(['', 'figure-8', 'no-intersection']),
  same: fc.constantFrom('f', 'n'),
  f: fc.integer({ min: 0, max: most.f }),
  n: fc.integer({ min: 1, max: most.n }),
  attack: fc.constantFrom(...attacks.map(({ name }) => name)),
  by: fc.tuple(traitors, traitors),
  edits: fc.tuple(some, some),
  network: fc.constantFrom(...networks),
  clocks: fc.constantFrom(...clocks),
  reads: fc.constantFrom(...readsWords),
  workload: fc.constantFrom('contest', 'a', 'writes'),
  count: fc.integer({ min: 1, max: most.count }),
  clients: fc.integer({ min: 1, max: most.clients }),
  outstanding: fc.integer({ min: 1, max: most.outstanding }),
  options: fc.tuple(told, told),
  crypto: fc.constantFrom('ideal', 'ed25519'),
  seed: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
});

test('a link gives back what it was made of, whatever the seed is', () => {
  fc.assert(
    fc.property(settings, fc.nat(1000), (given, at) => {
      const digests = ['0660030b8380', 'a5b3c7350a3e'];
      const place = placeOf(linkOf(given, { at, digests }));
      const { f, n, ...rest } = given;
      expect(place.settings).toMatchObject({ ...rest, ...(given.same === 'f' ? { f } : { n }) });
      expect(place).toMatchObject({ route: 'play', at, complaints: [] });
      expect(place.digests).toEqual(['0660030b', 'a5b3c735']);
      expect(otherRun(place, digests)).toBeUndefined();
    }),
  );
});

test('a link can be read, and written by hand', () => {
  expect(linkOf(demo, { at: 7 })).toBe(
    '#/play?v=1&p=raft,pbft&same=f&f=1&attack=equivocating-leader&net=lan&clock=perfect' +
      `&load=contest&count=2&sign=ed25519&seed=42&at=7&x=${engine.split(' ')[1]}`,
  );
  expect(placeOf('#/play?p=hotstuff,raft&same=n&n=7').settings).toMatchObject({
    ...{ protocols: ['hotstuff', 'raft'], same: 'n', n: 7 },
    attack: demo.attack,
  });
});

test('what is wrong in a link is said, and what is usual takes its place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['#/play?v=2&n=4', /version 2, and this page reads version 1: open it with/],
    ['#/play?n=400', /"n" of the link is no number from 1 to 31/],
    ['#/play?count=1e9', /"count" of the link is no number/],
    ['#/play?sign=none', /"sign" of the link is none of ideal, ed25519/],
    ['#/play?seed=%', /damaged/],
    ['#/play?p=raft', /"p" of the link names two protocols, e.g. p=raft,pbft/],
    ['#/play?atack=none', /"atack" is no part of a link, and is left out. Did you mean attack/],
    ['#/play?clients=0', /"clients" of the link is no number from 1 to 64/],
    ['#/play?out=x', /"out" of the link is no number from 1 to 64/],
    [`#/play?o=${'a=1~'.repeat(17)}`, /"o" of the link is left out: a side has at most 16 options/],
    ['#/play?reads=fresh', /"reads" of the link is none of quorum, lease, local, stale/],
    ['#/play?by=x', /"by" of the link names nodes of two sides as 0\+2/],
    ['#/play?by=1+0+1', /"by" of the link names nodes of two sides.*each once.*not "1\+0\+1"/],
    ['#/play?by=,,1', /"by" of the link names nodes of two sides .*not "1"/],
    ['#/play?e=drop.0-1-5.20ms', /"drop.0-1-5.20ms" is no edit/],
    ['#/play?e=9.split.0+1-1+2', /"9.split.0\+1-1\+2" is no edit/],
    ['#/play?e=12.burn.1', /"12.burn.1" is no edit; write e.g. 900ms.crash.1/],
    ['#/lessons', /no page "lessons"/],
    ['#/play/3', /no page "play\/3"/],
  ];
  for (const [hash, sentence] of wrong) {
    const { complaints, settings: read } = placeOf(hash);
    expect(complaints.join(), hash).toMatch(sentence);
    expect(read, hash).toEqual(demo);
  }
  fc.assert(fc.property(fc.string(), (hash) => void placeOf(hash)));
});

test('a link of another run is told apart by its digests', () => {
  const place = placeOf(`${linkOf(demo, { digests: ['aaaaaaaa', 'bbbbbbbb'] })}`);
  expect(otherRun(place, ['aaaaaaaa11', 'cccccccc22'])).toMatch(
    /another run: digest aaaaaaaa and c/,
  );
});

test('a stale read of a lease whose clock runs wild has a link, short as it is long', () => {
  const scenario = completeScenario({
    ...{ protocol: 'raft', reads: 'lease', clocks: 'drift=100000ppm', attack: 'slow-leader' },
    ...{ options: { electionTimeout: 1_000_000 }, clients: 40, count: 1400 },
  });
  const link = linkOfScenario(scenario) ?? '';
  expect(link).toContain('&count=1400&clients=40&o=electionTimeout=1000000,&');
  expect(link.length).toBeLessThan(250);
  const { word, digest } = runScenario(scenario);
  expect(word).toBe('stale-read');
  expect(runScenario(scenarioOf(placeOf(link).settings, 0)).digest).toBe(digest);
});

test('what a protocol cannot be told is said when its side is run', () => {
  const side = (o: string) => scenarioOf(placeOf(`#/play?p=raft,pbft&o=${o}`).settings, 0);
  expect(side('electionTimeout=1s').options).toEqual({ electionTimeout: 1_000_000 });
  expect(() => side('elektionTimeout=1s')).toThrow('Did you mean electionTimeout?');
  expect(() => side('electionTimeout=soon')).toThrow('takes a whole number or a time');
  expect(() => scenarioOf(placeOf('#/play?load=file').settings, 0)).toThrow('holds no file');
  expect(() => side('electionTimeout')).toThrow('sets no option; write e.g. name=value');
});

test('edits of a link make faults and change single messages, and nothing else of the run', () => {
  const plain = runScenario(scenarioOf({ ...demo, attack: 'none', crypto: 'ideal' }, 1));
  const with_ = (e: string) => {
    const { settings: read, complaints } = placeOf(`#/play?attack=none&sign=ideal&e=,${e}`);
    expect(complaints).toEqual([]);
    return runScenario(scenarioOf(read, 1));
  };
  expect(with_('').digest).toBe(plain.digest);
  expect(with_('1.heal').word).toBe('ok');
  for (const e of ['drop.0-1-0', 'twice.0-1-0', 'move.0-1-0.20ms', '10.timeout.1', '5.crash.2'])
    expect(with_(e).digest, e).not.toBe(plain.digest);
  // Three of four are enough, and two are not.
  expect(with_('1.crash.2').word).toBe('ok');
  expect(with_('1.crash.1~1.crash.2').word).toBe('stalled');
  expect(with_('1.crash.1~1.crash.2~900.restart.1').word).toBe('ok');
});

test('a scenario of the command line has a link to the same run, or none at all', () => {
  const told = [
    completeScenario({ protocol: 'raft' }),
    completeScenario({ protocol: 'pbft', n: 7, f: 2, attack: 'f+1-traitors', seed: 'x y' }),
    completeScenario({ protocol: 'hotstuff', n: 5, f: 1, network: 'wan' }),
    completeScenario({ protocol: 'raft', faults: [{ type: 'crash', at: 900_000, node: 0 }] }),
    completeScenario({ protocol: 'raft', by: [1], attack: 'equivocating-leader' }),
    completeScenario({ protocol: 'zab', workload: 'a', count: 300, clients: 9, outstanding: 3 }),
    completeScenario({ protocol: 'flexible-paxos', options: { weights: '1,1,1' } }),
    completeScenario({ protocol: 'raft', options: { electionTimeout: 1_000_000, preVote: true } }),
    completeScenario({ protocol: 'hotstuff', options: { rules: 'chained' } }),
  ];
  for (const scenario of told) {
    const place = placeOf(linkOfScenario(scenario, 3) ?? '');
    expect(place).toMatchObject({ route: 'play', at: 3, complaints: [] });
    expect(JSON.stringify(runScenario(scenarioOf(place.settings, 0)).digest)).toBe(
      JSON.stringify(runScenario(scenario).digest),
    );
  }
  // Who stands beside it can give such reads.
  for (const reads of ['lease', 'stale'] as const) {
    const { settings: read } = placeOf(
      linkOfScenario(completeScenario({ protocol: 'raft', reads })) ?? '',
    );
    expect(read).toMatchObject({ reads, protocols: ['raft', expect.not.stringMatching('pbft')] });
    expect(scenarioOf(read, 1).reads).toBe(reads);
  }
  const untold = [
    completeScenario({ protocol: 'raft', count: most.count + 1 }),
    completeScenario({ protocol: 'raft', seed: 'x'.repeat(101) }),
    completeScenario({ protocol: 'raft', until: 1000 }),
    completeScenario({ protocol: 'raft', faults: [{ type: 'crash', at: 9, node: 'leader' }] }),
    completeScenario({ protocol: 'raft', script: { choices: [1], lost: [] } }),
  ];
  for (const scenario of untold) expect(linkOfScenario(scenario)).toBeUndefined();
});
