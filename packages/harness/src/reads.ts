/** Which protocol can give reads that promise what, and why not. */
import type { OptionValues } from '@quorumlab/core';
import type { ProtocolEntry } from './protocol-entry.ts';
import { isWeak, type Reads, readsWords } from './read-words.ts';
import { type Scenario, ScenarioError } from './scenario.ts';

/** What the reads of a scenario promise. */
export const readsIn = ({ reads, options }: Pick<Scenario, 'reads' | 'options'>): Reads =>
  reads ?? (options?.reads === 'lease' ? 'lease' : 'quorum');

/** Why a protocol cannot give such reads, in one sentence without its full stop; or nothing. */
function whyNot({ name, claims, options }: ProtocolEntry, reads: Reads): string | undefined {
  const kinds = options.reads;
  if (reads === 'lease' && !(Array.isArray(kinds) && kinds.includes('lease')))
    return `${name} has no leases, so none of its replicas may read alone and miss nothing`;
  if (isWeak(reads) && claims.faults === 'byzantine')
    return `a replica of ${name} may lie, so no read believes one alone`;
  return undefined;
}

/** The kinds of reads that a protocol can give. */
export const readsOf = (entry: ProtocolEntry): readonly Reads[] =>
  readsWords.filter((each) => whyNot(entry, each) === undefined);

/** Throws a ScenarioError (QL114) if the protocol cannot give such reads; it says which it can. */
export function requireReads(entry: ProtocolEntry, reads: Reads): void {
  const why = whyNot(entry, reads);
  if (why === undefined) return;
  const can = readsOf(entry).map((each) => `--reads ${each}`);
  throw new ScenarioError(
    'QL114',
    `${why}: it cannot give --reads ${reads}.\n  use   ${can.join('  or  ')}`,
  );
}

/**
 * The options of a protocol with what the reads take. Throws a ScenarioError (QL114) if it cannot
 * give such reads, or an option says something else.
 */
export function optionsWithReads(
  entry: ProtocolEntry,
  reads: Reads | undefined,
  options: OptionValues | undefined,
): OptionValues | undefined {
  if (reads === undefined) return options;
  requireReads(entry, reads);
  const own = options?.reads;
  // A lease is the leader's affair: other reads ask nobody, or a quorum.
  const needed = reads === 'lease' ? 'lease' : 'quorum';
  if (own !== undefined && own !== needed)
    throw new ScenarioError(
      'QL114',
      `--reads ${reads} and --option reads=${own} contradict each other; leave one out.`,
    );
  return reads === 'lease' ? { ...options, reads } : options;
}
