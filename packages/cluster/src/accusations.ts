/** Who has broken its word before a node, with the proofs, in the node's folder. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, type Output, toHex } from '@quorumlab/core';
import type { AnyShape } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import {
  detector,
  domainOf,
  encodeProof,
  isProven,
  proofFromJson,
  proofToJson,
  sha256,
  verifyProof,
} from '@quorumlab/wire';
import { type ClusterConfig, paths, protocolIn } from './config.ts';
import { requirePlainFile } from './plain-file.ts';
import type { AccusedRow } from './reports.ts';

/** Most proofs that a node keeps of one member: the first says it all. */
const mostPerMember = 4;

/** Longest proof that is kept, in bytes: its two messages may be large. */
const maxProofBytes = 16 * 1024 * 1024;

type Accusations = Output<AnyShape>['accusations'];

/** See {@link accusationRecord}. */
export interface AccusationRecord {
  /** Keeps the proof of each; what is signed by nobody proves nothing and is passed over. */
  add(accusations: Accusations): void;
  /** All that are kept, those of earlier lives too. */
  rows(): readonly AccusedRow[];
}

/**
 * Keeps proofs as files in the folder `home` of a node, where they outlive it. `failed` is told of
 * one that cannot be written. A file that is no proof of this cluster counts for nothing.
 */
export function accusationRecord(
  config: ClusterConfig,
  home: string,
  failed: (error: unknown) => void,
): AccusationRecord {
  const group = serviced(protocolIn(config));
  const domain = domainOf(group, { ...config, cluster: config.name });
  const publicKeys = new Map(config.members.map(({ id, publicKey }) => [id, fromHex(publicKey)]));
  const folder = paths.proofs(home);
  const kept = new Map<string, AccusedRow>();

  /** Notes what a proof proves, if it holds. */
  function take(proof: Uint8Array, path: string): AccusedRow | undefined {
    const verdict = verifyProof(proof, group, { publicKeys, domain });
    if (!isProven(verdict)) return undefined;
    const row = { signer: verdict.signer, about: verdict.about, proof: path };
    kept.set(path, row);
    return row;
  }

  function keep(lie: Parameters<typeof encodeProof<AnyShape['Message']>>[0]): void {
    const of = [...kept.values()].filter(({ signer }) => signer === lie.signer);
    if (of.length >= mostPerMember || of.some(({ about }) => about === lie.about)) return;
    const publicKey = publicKeys.get(lie.signer);
    if (publicKey === undefined) return;
    const proof = encodeProof(lie, group, { domain, publicKey });
    const name = toHex(sha256(proof).subarray(0, 8));
    const path = join(folder, `n${lie.signer}-${name}.proof.json`);
    if (take(proof, path) === undefined) return;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(path, proofToJson(proof), { mode: 0o600 });
    } catch (error) {
      kept.delete(path);
      failed(error);
    }
  }

  for (const name of namesIn(folder)) {
    try {
      requirePlainFile(join(folder, name), maxProofBytes);
      take(proofFromJson(readFileSync(join(folder, name), 'utf8')), join(folder, name));
    } catch {
      // Somebody else's file, or a damaged one: it proves nothing.
    }
  }
  return {
    add(accusations) {
      for (const { first, second } of accusations) {
        const detect = detector(group);
        detect.observe(first);
        const lie = detect.observe(second);
        if (lie !== undefined) keep(lie);
      }
    },
    rows: () => [...kept.values()],
  };
}

/** Proofs in a folder, as many as there can be. */
function namesIn(folder: string): readonly string[] {
  try {
    const all = readdirSync(folder).filter((name) => name.endsWith('.proof.json'));
    return all.sort().slice(0, 128 * mostPerMember);
  } catch {
    return [];
  }
}
