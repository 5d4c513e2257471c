/**
 * BLS12-381 for certificates: signatures of a quorum over one statement as one signature of 96
 * bytes, checked by one product of two pairings.
 *
 * @packageDocumentation
 */

import type { AggregateScheme } from '@quorumlab/wire';
import { blstScheme } from './blst.ts';
import { nobleScheme } from './noble.ts';

export { blstScheme } from './blst.ts';
export { keyGen } from './keygen.ts';
export { nobleScheme } from './noble.ts';
export { publicKeyBytes, signatureBytes } from './sizes.ts';

/**
 * The fastest code for the scheme that this machine has: `blst`, or else portable code. Both make
 * the same bytes and take the same, so members of one group need not have the same.
 */
export const blsScheme = async (): Promise<AggregateScheme> => (await blstScheme()) ?? nobleScheme;
