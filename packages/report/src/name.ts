import { protocols, type VerdictRow } from '@quorumlab/harness';

/** `hotstuff chained`: what a row is called. Options that make no variant are written out. */
export function rowName({ protocol, options, mutant, reads }: Name): string {
  const variant = protocols.find(({ name }) => name === protocol)?.variants?.option;
  const words = Object.entries(options ?? {}).map(([name, value]) =>
    name === variant ? `${value}` : `${name}=${value}`,
  );
  const promise = reads === undefined ? [] : [`reads=${reads}`];
  return [
    protocol,
    ...words,
    ...promise,
    ...(mutant === undefined ? [] : [`mutant ${mutant}`]),
  ].join(' ');
}

type Name = Pick<VerdictRow, 'protocol' | 'options' | 'mutant' | 'reads'>;
