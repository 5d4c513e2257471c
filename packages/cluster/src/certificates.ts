/** Certificates of a cluster as aggregates: its members' keys, and the package that makes them. */
import { fromHex, toHex } from '@quorumlab/core';
import { certificateKeyOf, readKeyFile } from '@quorumlab/node';
import type { AggregateScheme, CertificateKey } from '@quorumlab/wire';
import { ClusterError, codeOf } from './errors.ts';

/** What certificates are: lists of Ed25519 signatures, or BLS12-381 aggregates. */
export const certificateKinds = ['ed25519', 'bls'] as const;

/** One of {@link certificateKinds}. */
export type CertificateKind = (typeof certificateKinds)[number];

/** A certificate key in `cluster.json`: hexadecimal digits. */
export interface CertificateKeyText {
  /** A compressed point of G1, 48 bytes. */
  readonly publicKey: string;
  /** That its member has the secret: a signature, 96 bytes. */
  readonly possession: string;
}

const name = '@quorumlab/bls';

/** The scheme of `bls`. Throws {@link ClusterError} where its package is not installed. */
export async function aggregates(): Promise<AggregateScheme> {
  try {
    const { blsScheme } = await import('@quorumlab/bls');
    return await blsScheme();
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ClusterError(`Certificates as aggregates need ${name}; install it: npm i ${name}`);
  }
}

/** The certificate key that belongs to a key file. */
export async function certificateKeyIn(
  scheme: AggregateScheme,
  file: string,
): Promise<CertificateKeyText> {
  const seed = await readKeyFile(file);
  const { publicKey, possession } = certificateKeyOf(scheme, seed);
  seed.fill(0);
  return { publicKey: toHex(publicKey), possession: toHex(possession) };
}

/** As nodes take it: they look at the proof before they start. */
export const certificateKeyFrom = ({
  publicKey,
  possession,
}: CertificateKeyText): CertificateKey => ({
  publicKey: fromHex(publicKey),
  possession: fromHex(possession),
});

/** Whether what `cluster.json` says has the form of a certificate key with its proof. */
export const isCertificateKey = (said: Partial<CertificateKeyText> | undefined): boolean =>
  /^[0-9a-f]{96}$/.test(said?.publicKey ?? '') && /^[0-9a-f]{192}$/.test(said?.possession ?? '');
