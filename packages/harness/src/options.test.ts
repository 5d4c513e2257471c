import { raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';
import {
  completeScenario,
  optionText,
  type ProtocolEntry,
  protocolEntry,
  readOption,
  runScenario,
  variantsOf,
} from './index.ts';

/** Raft with two rule sets, one of them slow to campaign. */
const entry: ProtocolEntry = protocolEntry({
  title: 'Raft in two variants.',
  right: ({ n, f, ...told }) => {
    const { pace } = told as { readonly pace?: string };
    return raft({ n, f, ...(pace === 'slow' ? { electionTimeout: 900_000 } : {}) });
  },
  options: { pace: ['quick', 'slow'], weights: 'text', heartbeat: 'number', preVote: 'boolean' },
  variants: 'pace',
});

test('a scenario that names no variant stands for all, one that names one for itself', () => {
  const plain = completeScenario({ protocol: 'raft' });
  const all = variantsOf(plain, entry);
  expect(all.map(optionText)).toEqual(['pace=quick', 'pace=slow']);
  const [, slow] = all;
  expect(slow && variantsOf(slow, entry)).toEqual([slow]);
  expect(variantsOf(plain)).toEqual([plain]);
});

test('variants really differ, and the first is what runs unless told', () => {
  const plain = completeScenario({ protocol: 'raft' });
  const [quick, slow] = variantsOf(plain, entry).map(
    (scenario) => runScenario(scenario, { entry }).digest,
  );
  expect(quick).toBe(runScenario(plain, { entry }).digest);
  expect(slow).not.toBe(quick);
});

test('an option is read as what it is, and a wrong one teaches', () => {
  expect(readOption(entry, 'heartbeat=20ms')).toEqual({ heartbeat: 20_000 });
  expect(readOption(entry, 'heartbeat=7')).toEqual({ heartbeat: 7 });
  expect(readOption(entry, 'preVote=false')).toEqual({ preVote: false });
  expect(readOption(entry, 'weights=3,1,1,1')).toEqual({ weights: '3,1,1,1' });
  expect(readOption(entry, 'pace=slow')).toEqual({ pace: 'slow' });
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['pase=slow', /no option of raft "pase". Did you mean pace/],
    ['pace=slwo', /no value of raft's option pace "slwo". Did you mean slow/],
    ['heartbeat=x', /takes a whole number or a time/],
    ['preVote=1', /is true or false, not "1"/],
    ['__proto__=1', /no option of raft/],
    ['=1', /write e.g. name=value/],
  ];
  for (const [text, sentence] of wrong) expect(() => readOption(entry, text)).toThrow(sentence);
  expect(() => entry.create({ n: 3, f: 1, options: { weights: 7 } })).toThrow('takes a text');
});

test('variants of an option without words are refused when the entry is made', () => {
  const options = { heartbeat: 'number' } as const;
  const make = () => protocolEntry({ title: '', right: raft, options, variants: 'heartbeat' });
  expect(make).toThrow('names no words');
});

test('a protocol that needs more than four replicas for one fault has an entry too', () => {
  const claims = { faults: 'crash', order: 'total', replicas: (f: number) => 5 * f + 1 } as const;
  const right = ({ n, f }: { readonly n: number; readonly f: number }) => {
    if (n < 5 * f + 1) throw new RangeError(`${n} replicas are too few; use ${5 * f + 1}`);
    return { ...raft({ n, f }), name: 'fast', claims };
  };
  const fast = protocolEntry({ title: 'Needs 5f+1.', right });
  expect(fast.create({ n: 6, f: 1 }).members).toHaveLength(6);
  expect(fast.claims.replicas(2)).toBe(11);
  const none = () => {
    throw new RangeError('never');
  };
  expect(() => protocolEntry({ title: '', right: none })).toThrow('never');
});
