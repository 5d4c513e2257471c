/** Laying side by side what a liar told to different nodes. */
import { fromHex, type Protocol, toHex } from '@quorumlab/core';
import {
  type AnyShape,
  type Lie,
  meanings,
  type ProofRow,
  type Statement,
  vowsOf,
} from '@quorumlab/harness';
import { type LogShape, serviceMessages } from '@quorumlab/log';
import {
  detector,
  domainOf,
  encodeProof,
  envelopes,
  isProven,
  isRefusal,
  type VowSource,
  verifyProof,
} from '@quorumlab/wire';
import { type ClusterConfig, protocolIn } from './config.ts';
import type { HeardStatement } from './reports.ts';

/** A lie with its proof, which was checked as a stranger would check it. */
export interface ProvenRow extends ProofRow {
  /** The whole proof, for `verifyProof` of the wire package. */
  readonly proof: Uint8Array;
}

/** The protocol as the detector wants it: the vows of its own messages. */
export function vowSource(protocol: Protocol<LogShape>): VowSource<AnyShape['Message']> {
  const own = (message: AnyShape['Message']): boolean =>
    protocol.messages.of(message.kind) !== undefined;
  return {
    members: protocol.members,
    // The service's messages and the protocol's are the messages of the shape.
    messages: serviceMessages(protocol.messages) as VowSource<AnyShape['Message']>['messages'],
    vows: (message) => vowsOf(protocol).vows?.(message) ?? [],
    evidence: (message) => (own(message) ? (protocol.evidence?.(message) ?? []) : []),
  };
}

/**
 * Every lie that the statements prove, whoever heard them: each proof was encoded, and then checked
 * from its bytes with the members' keys. Statements that cannot be read are passed over.
 */
export function provenLies(
  config: ClusterConfig,
  heard: readonly HeardStatement[],
): readonly ProvenRow[] {
  const protocol = protocolIn(config);
  const source = vowSource(protocol);
  const domain = domainOf(protocol, { ...config, cluster: config.name });
  const codec = envelopes(domain, source.messages);
  const publicKeys = new Map(
    [...config.members, ...config.clients].map(({ id, publicKey }) => [id, fromHex(publicKey)]),
  );
  const detect = detector(source);
  const meant = meanings((message: AnyShape['Message']) => source.vows?.(message) ?? []);
  const proven: { readonly lie: Lie; readonly proof: Uint8Array }[] = [];
  const take = (lie: Lie): void => {
    const publicKey = publicKeys.get(lie.signer);
    if (publicKey === undefined) return;
    const proof = encodeProof(lie, source, { domain, publicKey });
    const verdict = verifyProof(
      proof,
      { ...source, name: protocol.name, version: protocol.version },
      { publicKeys, domain },
    );
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
