import { readFileSync } from 'node:fs';
import { paper as basicPaxosPaper } from '@quorumlab/basic-paxos';
import { paper as epaxosPaper } from '@quorumlab/epaxos';
import { paper as flexiblePaxosPaper } from '@quorumlab/flexible-paxos';
import { protocols } from '@quorumlab/harness';
import { paper as hotstuffPaper } from '@quorumlab/hotstuff';
import { paper as minbftPaper } from '@quorumlab/minbft';
import { paper as multiPaxosPaper } from '@quorumlab/multi-paxos';
import { paper as pbftPaper } from '@quorumlab/pbft';
import { paper as raftPaper } from '@quorumlab/raft';
import { paper as streamletPaper } from '@quorumlab/streamlet';
import { paper as tendermintPaper } from '@quorumlab/tendermint';
import { paper as zabPaper } from '@quorumlab/zab';
import { describe, expect, test } from 'vitest';
import { type Page, pageFaults, pageIn } from './page.ts';
import { transitionFaults, transitionsOf } from './transitions.ts';

/** Worlds per protocol; those of HotStuff take longest, and few of them show every transition. */
const worldsOf = (protocol: string): number => (protocol === 'hotstuff' ? 24 : 60);

const pageOf = (path: string): Page =>
  pageIn(path, readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

const papers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  raft: raftPaper,
  zab: zabPaper,
  pbft: pbftPaper,
  'multi-paxos': multiPaxosPaper,
  epaxos: epaxosPaper,
  'basic-paxos': basicPaxosPaper,
  hotstuff: hotstuffPaper,
  tendermint: tendermintPaper,
  streamlet: streamletPaper,
  minbft: minbftPaper,
};

describe.each(Object.entries(papers))('the page of %s', (protocol, paper) => {
  const path = `packages/${protocol}/src/protocol.ts`;
  const page = pageOf(path);
  const worlds = worldsOf(protocol);

  test('has every step of the paper that handlers name, or says that it is elsewhere', () => {
    expect(pageFaults(path, page, Object.keys(paper))).toEqual([]);
  });

  test(`has every transition that ${worlds} worlds show, and no other`, () => {
    const seen = transitionsOf(protocol, worlds, page.transitions);
    expect(transitionFaults(path, page.transitions, seen)).toEqual([]);
  });
});

test('every registered protocol has a page', () => {
  const names = protocols.map(({ name }) => name).filter((name) => name !== 'flexible-paxos');
  expect(Object.keys(papers).sort()).toEqual(names.sort());
});

test('the page of flexible-paxos has what is not on that of multi-paxos', () => {
  const path = 'packages/flexible-paxos/src/protocol.ts';
  const own = Object.keys(flexiblePaxosPaper).filter((id) => !(id in multiPaxosPaper));
  expect(pageFaults(path, pageOf(path), own)).toEqual([]);
});

describe('the reader of pages', () => {
  const source = [
    "import { a } from 'b';",
    '/**',
    ' * A protocol.',
    ' *',
    ' * ```text',
    ' *           upon a request:',
    ' * ask, say    send it to all',
    ' * ```',
    ' *',
    ' * Beyond this page: `crash` and',
    ' * `wait` (`elsewhere.ts`).',
    ' *',
    ' * | from | to | when |',
    ' * |---|---|---|',
    ' * | | idle | a start |',
    ' * | idle | busy | a request (rare) |',
    ' */',
  ].join('\n');
  const page = pageIn('p.ts', source);

  test('finds the margin, what is elsewhere, and the table', () => {
    expect(page).toEqual({
      lines: ['          upon a request:', 'ask, say    send it to all'],
      margin: ['ask', 'say'],
      beyond: ['crash', 'wait'],
      transitions: [
        { from: '', to: 'idle', isRare: false },
        { from: 'idle', to: 'busy', isRare: true },
      ],
    });
    expect(() => pageIn('p.ts', 'const a = 1;')).toThrow('p.ts has no page');
  });

  test('misses steps, and finds what is no step', () => {
    expect(pageFaults('p.ts', page, ['ask', 'say', 'crash', 'wait'])).toEqual([]);
    expect(pageFaults('p.ts', page, ['ask', 'say', 'crash', 'vote']).join()).toMatch(
      /"wait" on the page is no id.*"vote" of paper.ts is not on the page/,
    );
    const twice = { ...page, beyond: ['ask'], lines: new Array(61).fill('') };
    expect(pageFaults('p.ts', twice, ['ask', 'say']).join()).toMatch(
      /has 61 lines; at most 60.*"ask" stands on the page 2 times/,
    );
  });

  test('misses transitions, and finds those that never happen', () => {
    const rows = page.transitions;
    expect(transitionFaults('p.ts', rows, new Set(['starts as idle']))).toEqual([]);
    expect(transitionFaults('p.ts', rows, new Set(['busy → idle']))).toEqual([
      'p.ts: a replica busy → idle, which is no row of the table',
      'p.ts: no run shows "starts as idle"; if few do, call the row (rare)',
    ]);
  });
});
