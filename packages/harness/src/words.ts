/** Words about a run that every place uses where people read of one. */
import type { VerdictWord } from '@quorumlab/checker';
import { unsafeMark } from './claims.ts';
import { optionText } from './defaults.ts';
import { protocolOf } from './protocols.ts';
import { type Reads, readsJudged } from './read-words.ts';
import type { Scenario } from './scenario.ts';
import type { VerdictRow } from './verdict-row.ts';

/** A sign for each verdict, so that none is told by a colour alone. */
export const verdictSigns: Readonly<Record<VerdictWord, string>> = {
  forked: '✗',
  invalid: '✗',
  'stale-read': '◑',
  stalled: '…',
  inconclusive: '?',
  ok: '✓',
};

/** What a verdict was, and what the protocol says of the faults of its run. */
export type Judged = Pick<
  VerdictRow,
  'protocol' | 'mutant' | 'n' | 'f' | 'word' | 'expected' | 'claimed' | 'why' | 'reads'
>;

/** `raft n=3 f=1 (crash) · equivocating-leader by n0 · lan · seed 42`. */
export function headline(scenario: Scenario): string {
  const { protocol, mutant, n, f, attack, by, network, seed, crypto, script } = scenario;
  const { claims } = protocolOf(protocol);
  const whom = by.length > 0 ? ` by ${by.map((id) => `n${id}`).join(', ')}` : '';
  const options = optionText(scenario);
  const how = [options, mutant === undefined ? '' : `the mutant ${mutant}`].filter(Boolean);
  const name = how.length === 0 ? protocol : `${protocol} with ${how.join(' and ')}`;
  const mark = unsafeMark(scenario);
  const size = `n=${n} f=${f} (${claims.faults})${mark === undefined ? '' : ` · ${mark}`}`;
  const what = `${name} ${size} · ${attack}${whom}`;
  const drawn = script === undefined ? 'seed' : 'shrunk from seed';
  return `${what} · ${network} · ${crypto} signatures · ${drawn} ${seed}`;
}

/**
 * One sentence on why a verdict was to be expected, or that it was not; where it was told what
 * reads promise, another one on what was judged.
 */
export function expectation(row: Judged): string {
  const judged = row.reads === undefined ? '' : `. ${judgedBy(row.reads)}`;
  return `${expectedWord(row)}${judged}`;
}

/** What was judged of operations whose reads promise this, in a sentence without its full stop. */
export const judgedBy = (reads: Reads): string => `Judged as ${reads} reads: ${readsJudged[reads]}`;

function expectedWord(row: Judged): string {
  const { protocol, n, f, word, expected, claimed, why } = row;
  const name = `${protocol} n=${n} f=${f}`;
  if (word === 'inconclusive')
    return `expected: not judged: it came to no end${claimed ? '' : `; nor claimed: ${why}`}`;
  if (word === 'ok' && row.mutant !== undefined)
    return (
      'expected: yes. The wrong rule did not show here; it does under its own schedule: ' +
      `quorumlab attack ${protocol} --mutant ${row.mutant}`
    );
  if (word === 'ok' && claimed) return `expected: yes. ${name} claims to survive this`;
  if (word === 'ok') return `expected: yes, but not claimed: ${why}. Nothing broke here`;
  if (expected) return `expected: yes, this is not claimed: ${why}`;
  if (claimed) return `expected: NO. ${name} claims to survive this; please report it`;
  return `expected: NO. ${why}, but nobody gave it leave to be ${word}; please report it`;
}
