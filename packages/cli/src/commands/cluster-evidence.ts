/** `quorumlab cluster evidence`: who has lied, by what nodes have kept. */
import { protocolOf, quoted, tooManyLiars } from '@quorumlab/harness';
import { clusterPackage } from '../cluster-package.ts';
import { exitCodes } from '../errors.ts';
import { writeLines } from '../files.ts';
import type { Io } from '../io.ts';
import { type Flags, say } from './cluster-io.ts';

interface EvidenceFlags extends Flags {
  readonly proof?: string;
}

/** Exit 0 if it could be looked, whoever is convicted; 2 if no node told what it has heard. */
export async function evidence(io: Io, { folder, proof }: EvidenceFlags): Promise<void> {
  const { clusterEvidence } = await clusterPackage();
  const found = await clusterEvidence(folder);
  const isWritten = proof !== undefined && found.proof !== undefined;
  if (isWritten) writeLines(proof, found.proof.trimEnd().split('\n'));
  const { culprits, asked, silent, n, f } = found;
  const isBlind = asked.length === 0 && culprits.length === 0;
  process.exitCode = isBlind ? exitCodes.inconclusive : exitCodes.expected;
  if (io.json) {
    const written = isWritten ? { file: proof } : {};
    return say(io, 'cluster-evidence', { folder, ...found, ...written });
  }
  for (const { member, rule } of culprits) io.out(`n${member} ${rule}`);
  if (culprits.length === 0) io.out('nobody is convicted by what the nodes of this machine kept');
  else {
    const most = tooManyLiars(protocolOf(found.protocol).claims, f) - 1;
    io.out(
      `${culprits.length} of ${n} are convicted; ${found.protocol} tolerates ${most}` +
        (isWritten ? '' : '\n  the proof:  quorumlab cluster evidence --proof FILE'),
    );
  }
  if (isWritten)
    io.out(`  check it:   quorumlab explain --proof ${quoted(proof)} --cluster ${quoted(folder)}`);
  if (silent.length > 0)
    io.out(
      `of ${silent.map((id) => `n${id}`).join(', ')}, not running, only their proofs were read`,
    );
}
