/** Laying side by side what a liar told to different nodes. */
import { fromHex, toHex } from '@quorumlab/core';
import { type Lie, meanings, type ProofRow, type Statement } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import {
  detector,
  domainOf,
  encodeProof,
  envelopes,
  isProven,
  isRefusal,
  type ProofGroup,
  verifyProof,
} from '@quorumlab/wire';
import { type ClusterConfig, protocolIn } from './config.ts';
import type { HeardStatement } from './reports.ts';

/** A lie with its proof, which was checked as a stranger would check it. */
export interface ProvenRow extends ProofRow {
  /** The whole proof, for `verifyProof` of the wire package. */
  readonly proof: Uint8Array;
}

/** The group of a cluster as proofs describe it: what a stranger compares them with. */
export const proofGroup = (config: ClusterConfig): ProofGroup => ({
  domain: domainOf(protocolIn(config), { ...config, cluster: config.name }),
  f: config.f,
  options: config.options,
  publicKeys: [...config.members]
    .sort((one, other) => one.id - other.id)
    .map(({ publicKey }) => fromHex(publicKey)),
});

/**
 * Every lie that the statements prove, whoever heard them: each proof was encoded, and then checked
 * from its bytes with the members' keys. Statements that cannot be read are passed over.
 */
export function provenLies(
  config: ClusterConfig,
  heard: readonly HeardStatement[],
): readonly ProvenRow[] {
  const group = serviced(protocolIn(config));
  const domain = domainOf(group, { ...config, cluster: config.name });
  const codec = envelopes(domain, group.messages);
  const publicKeys = new Map(
    [...config.members, ...config.clients].map(({ id, publicKey }) => [id, fromHex(publicKey)]),
  );
  const detect = detector(group);
  const meant = meanings(group.vows);
  const proven: { readonly lie: Lie; readonly proof: Uint8Array }[] = [];
  const take = (lie: Lie): void => {
    const publicKey = publicKeys.get(lie.signer);
    if (publicKey === undefined) return;
    const proof = encodeProof(lie, group, { domain, publicKey });
    const verdict = verifyProof(proof, group, { publicKeys, domain });
    if (!isProven(verdict)) return;
    proven.push({ lie: verdict, proof });
  };
  for (const { frame } of heard) {
    const message = codec.decode(new Uint8Array(Buffer.from(frame, 'base64')));
    if (isRefusal(message)) continue;
    meant.heard(message);
    const lie = detect.observe(message, take);
    if (lie !== undefined) take(lie);
  }
  // What a digest stands for may have been heard after the lie.
  return proven.map(({ lie, proof }) => {
    const { signer, about, first, second } = lie;
    const said = meant.of(lie);
    return {
      signer,
      about,
      first: statement(first, said.first),
      second: statement(second, said.second),
      proof,
    };
  });
}

const statement = (message: Lie['first'], what: string): Statement => ({
  kind: message.kind,
  what,
  signature: toHex(message.signature),
});
