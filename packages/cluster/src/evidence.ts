/** Laying side by side what a liar told to different nodes. */
import { fromHex, type Signed, toHex } from '@quorumlab/core';
import { type AnyShape, meanings, type ProofRow, type Statement } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import {
  checkGuiltProof,
  detector,
  domainOf,
  envelopes,
  type Guilty,
  guiltProof,
  isRefusal,
  judge,
  openGuiltProof,
  type Proof,
  type ProofGroup,
  transcript,
  wrongIn,
} from '@quorumlab/wire';
import { type ClusterConfig, protocolIn } from './config.ts';
import type { HeardStatement } from './reports.ts';

type Message = AnyShape['Message'];

/** A lie with its proof, which was checked as a stranger would check it. */
export interface ProvenRow extends ProofRow {
  /** The file of the whole proof, for `checkGuiltProof` of the wire package. */
  readonly proof: string;
}

/** The group of a cluster as proofs describe it: what a stranger compares them with. */
export const proofGroup = (config: ClusterConfig): ProofGroup => ({
  domain: domainOf(protocolIn(config), { ...config, cluster: config.name }),
  f: config.f,
  options: config.options,
  publicKeys: [...config.members]
    .sort((one, other) => one.id - other.id)
    .map(({ publicKey }) => fromHex(publicKey)),
  ...(config.seats === undefined ? {} : { seats: config.seats }),
});

/** Messages out of the frames that nodes have heard; what cannot be read is passed over. */
export function* messagesIn(
  config: ClusterConfig,
  heard: readonly HeardStatement[],
): Generator<Signed<Message>> {
  const group = serviced(protocolIn(config));
  const codec = envelopes(domainOf(group, { ...config, cluster: config.name }), group.messages);
  for (const { frame } of heard) {
    const message = codec.decode(new Uint8Array(Buffer.from(frame, 'base64')));
    if (!isRefusal(message)) yield message;
  }
}

/** Who is guilty, and the file that shows it to whoever trusts the keys of the cluster. */
export interface ClusterGuilt {
  readonly culprits: readonly Guilty<Message>[];
  /** Nothing if nobody is. */
  readonly proof?: string;
}

/**
 * Who is guilty by statements that nodes have kept. They may be forged, so whoever is found guilty
 * by them is convicted only if its own signatures hold.
 */
export function guiltIn(config: ClusterConfig, messages: Iterable<Signed<Message>>): ClusterGuilt {
  const group = serviced(protocolIn(config));
  const kept = transcript<Message>(group);
  for (const each of messages) kept.observe(each);
  const culprits = judge<Message>(group, kept.heard()).filter(
    (each) => provenBy(config, [each]) !== undefined,
  );
  const proof = culprits.length === 0 ? undefined : provenBy(config, culprits);
  return proof === undefined ? { culprits: [] } : { culprits, proof };
}

/** The file of a proof that holds by the keys of the cluster, or nothing. */
function provenBy(config: ClusterConfig, guilty: readonly Guilty<Message>[]): string | undefined {
  const group = serviced(protocolIn(config));
  const trusted = proofGroup(config);
  const text = guiltProof<Message>(group, trusted, guilty);
  return checkGuiltProof<Message>(openGuiltProof(text), group, { group: trusted }).holds
    ? text
    : undefined;
}

/**
 * Every lie that the statements prove, whoever heard them: each proof was written, and then checked
 * from its text with the members' keys. Statements that cannot be read are passed over.
 */
export function provenLies(
  config: ClusterConfig,
  heard: readonly HeardStatement[],
): readonly ProvenRow[] {
  const group = serviced(protocolIn(config));
  const detect = detector(group);
  const meant = meanings(group.vows);
  const proven: { readonly lie: Proof<Message>; readonly proof: string }[] = [];
  const take = (lie: Proof<Message>): void => {
    const { signer, first, second } = lie;
    const wrong = wrongIn<Message>(group, first, second, () => undefined);
    const proof = wrong && provenBy(config, [{ signer, first, second, ...wrong }]);
    if (proof !== undefined) proven.push({ lie, proof });
  };
  for (const message of messagesIn(config, heard)) {
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

const statement = (message: Signed<Message>, what: string): Statement => ({
  kind: message.kind,
  what,
  signature: toHex(message.signature),
});
