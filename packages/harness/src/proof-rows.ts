/** Proofs as rows of `quorumlab.result/1`. */
import { toHex } from '@quorumlab/core';
import type { Lie } from './lies.ts';
import type { RunResult } from './run.ts';
import type { ProofRow, Statement } from './verdict-row.ts';

const statement = (message: Lie['first'], what: string): Statement => ({
  kind: message.kind,
  what,
  signature: toHex(message.signature),
});

/** The proofs of a run as rows. */
export const proofRows = ({ proofs, proofValues }: RunResult): readonly ProofRow[] =>
  proofs.map(({ signer, about, first, second }, i) => ({
    signer,
    about,
    first: statement(first, proofValues[i]?.first ?? ''),
    second: statement(second, proofValues[i]?.second ?? ''),
  }));
