/** `quorumlab list mutants [protocol]`: which rule is wrong in each, in one sentence. */
import { protocolOf, protocols } from '@quorumlab/harness';
import type { Io } from '../io.ts';

/** A mutant as it is listed. */
interface ListedMutant {
  readonly name: string;
  readonly protocol: string;
  /** Which rule is wrong, in one sentence. */
  readonly title: string;
  /** Where the right rule is to be found. */
  readonly paper: string;
}

/** The mutants of all protocols, or of the one called `protocol`. */
export const listedMutants = (protocol?: string): readonly ListedMutant[] =>
  (protocol === undefined ? protocols : [protocolOf(protocol)]).flatMap(
    ({ name: of, mutants, flaws }) =>
      mutants.map((name) => ({
        name,
        protocol: of,
        title: flaws[name]?.rule ?? 'It does not say what is wrong with it.',
        paper: flaws[name]?.paper ?? '',
      })),
  );

/** The mutants in words, protocol by protocol. */
export function sayMutants(io: Io, protocol?: string): void {
  const rows = listedMutants(protocol);
  let last: string | undefined;
  for (const { name, protocol: of, title, paper } of rows) {
    if (of !== last) {
      if (last !== undefined) io.out('');
      io.out(`${io.paint('strong', of)}   quorumlab attack ${of} --mutant NAME`);
    }
    last = of;
    io.out(`  ${io.paint('strong', name)}`);
    io.out(`      ${title}${paper === '' ? '' : ` (${paper})`}`);
  }
}
