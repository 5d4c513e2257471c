/** Who has broken its word before a node, with the proofs, in the node's folder. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaError, type Signed, toHex, toUtf8 } from '@quorumlab/core';
import type { AnyShape } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import {
  checkGuiltProof,
  envelopes,
  type GuiltVerdict,
  guiltProof,
  isRefusal,
  openGuiltProof,
  sha256,
  wrongIn,
} from '@quorumlab/wire';
import { type ClusterConfig, paths, protocolIn } from './config.ts';
import { proofGroup } from './evidence.ts';
import { requirePlainFile } from './plain-file.ts';
import type { PassedLie } from './remote-report.ts';
import type { AccusedRow } from './reports.ts';

/** Most proofs that a node keeps of one member: the first says it all. */
const mostPerMember = 4;

/** Longest proof that is kept, in bytes: its two messages may be large. */
const maxProofBytes = 16 * 1024 * 1024;

type Message = Signed<AnyShape['Message']>;

/** Two statements of one member of which no honest one signs both. */
export interface Pair {
  readonly first: Message;
  readonly second: Message;
}

/** See {@link accusationRecord}. */
export interface AccusationRecord {
  /** Keeps the proof of each; what is no lie, or is signed by nobody, is passed over. */
  add(accusations: readonly Pair[]): void;
  /** All that are kept, those of earlier lives too. */
  rows(): readonly AccusedRow[];
  /** What they rest on. */
  pairs(): readonly Pair[];
  /** The same as frames that others take: one lie of each member. */
  passedOn(): readonly PassedLie[];
  /** Takes what another node has passed on; what proves nothing is passed over. */
  hear(lies: readonly PassedLie[]): void;
}

/** One kept proof. */
interface Kept {
  readonly row: AccusedRow;
  readonly pair: Pair;
}

/**
 * Keeps proofs as files in the folder `home` of a node, where they outlive it: at most
 * {@link mostPerMember} of each member. `failed` is told of one that cannot be written. A file that
 * is no proof against a member of this cluster counts for nothing.
 */
export function accusationRecord(
  config: ClusterConfig,
  home: string,
  failed: (error: unknown) => void,
): AccusationRecord {
  const group = serviced(protocolIn(config));
  const trusted = proofGroup(config);
  const folder = paths.proofs(home);
  const codec = envelopes(trusted.domain, group.messages);
  const kept = new Map<string, Kept>();

  /** Notes whom a proof convicts, if it holds. */
  function take(text: string, path: string): boolean {
    const verdict: GuiltVerdict<AnyShape['Message']> = checkGuiltProof<AnyShape['Message']>(
      openGuiltProof(text),
      group,
      { group: trusted },
    );
    const [culprit] = verdict.holds ? verdict.culprits : [];
    if (culprit === undefined) return false;
    const { signer, rule, first, second } = culprit;
    kept.set(path, { row: { signer, rule, proof: path }, pair: { first, second } });
    return true;
  }

  function keep({ first, second }: Pair): void {
    if (first.from !== second.from || !group.members.includes(first.from)) return;
    const wrong = wrongIn(group, first, second, () => undefined);
    const signer = first.from;
    const of = [...kept.values()].filter(({ row }) => row.signer === signer);
    if (wrong === undefined || of.length >= mostPerMember) return;
    if (of.some(({ row }) => row.rule === wrong.rule)) return;
    const text = guiltProof(group, trusted, [{ signer, first, second, ...wrong }]);
    if (text.length > maxProofBytes) return;
    const name = toHex(sha256(toUtf8(text)).subarray(0, 8));
    const path = join(folder, `n${signer}-${name}.proof.json`);
    if (!take(text, path)) return;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      kept.delete(path);
      failed(error);
    }
  }

  for (const name of namesIn(folder)) {
    try {
      requirePlainFile(join(folder, name), maxProofBytes);
      take(readFileSync(join(folder, name), 'utf8'), join(folder, name));
    } catch {
      // Somebody else's file, or a damaged one: it proves nothing.
    }
  }
  function add(accusations: readonly Pair[]): void {
    for (const each of accusations)
      try {
        keep(each);
      } catch (error) {
        // What cannot be encoded was never signed.
        if (!(error instanceof SchemaError)) throw error;
      }
  }

  return {
    add,
    hear(lies) {
      for (const each of lies) {
        const [first, second] = [codec.decode(each.first), codec.decode(each.second)];
        if (!isRefusal(first) && !isRefusal(second)) add([{ first, second }]);
      }
    },
    passedOn() {
      const first = new Map<number, Pair>();
      for (const { row, pair } of kept.values())
        if (!first.has(row.signer)) first.set(row.signer, pair);
      return [...first.values()].map((pair) => ({
        first: codec.encode(pair.first),
        second: codec.encode(pair.second),
      }));
    },
    rows: () => [...kept.values()].map(({ row }) => row),
    pairs: () => [...kept.values()].map(({ pair }) => pair),
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
