/** What a node tells whoever has a key of its cluster: bounded, and judged when it is read. */
import {
  aboutField,
  boolean,
  bounded,
  bytes,
  checked,
  decode,
  digest,
  encode,
  firstClient,
  type Infer,
  integer,
  list,
  nullable,
  type Roster,
  record,
  SchemaError,
  text,
  toUtf8,
} from '@quorumlab/core';
import { sha256 } from '@quorumlab/wire';
import type { ClusterConfig } from './config.ts';
import type { NodeReport } from './reports.ts';

/** Most bytes of what stands in a node's way. */
const maxTroubleBytes = 512;

/** A word that is shown on a terminal, so it has letters only. */
const word = (limit: number) =>
  checked(text(limit), `word ≤ ${limit}`, (value) =>
    /^[a-z0-9+ -]*$/.test(value) ? undefined : 'a word with other characters than letters',
  );

/** A sentence that is shown on a terminal: printable characters only. */
const sentence = (limit: number) =>
  checked(text(limit), `sentence ≤ ${limit}`, (value) =>
    /^[ -~]*$/.test(value) ? undefined : 'a sentence with control characters',
  );

/** Most bytes of all lies in a report, so that it stays an answer. */
const mostLiesBytes = 1600;

/** The frame of a vote; larger statements are not passed on. */
const frame = bytes(600);

/** A lie as it is passed on. */
export interface PassedLie {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** As many of `lies` as a report has room for: those first that are listed first. */
export function passable(lies: readonly PassedLie[]): readonly PassedLie[] {
  let room = mostLiesBytes - 8;
  return lies
    .filter(({ first, second }) => {
      const takes = first.length + second.length + 8;
      const fits = first.length <= 600 && second.length <= 600 && takes <= room;
      if (fits) room -= takes;
      return fits;
    })
    .slice(0, 8);
}

/** See the module's comment. Positions are counted, so 0 stands for none. */
export const remoteReport = record({
  /** Digest of what the cluster is, see {@link clusterDigest}. */
  cluster: digest,
  role: word(32),
  term: integer(),
  leader: nullable(integer(firstClient - 1)),
  committed: integer(),
  applied: integer(),
  state: word(16),
  peers: list(integer(firstClient - 1), 128),
  lastCommitMilliseconds: nullable(integer()),
  attack: nullable(word(64)),
  lying: boolean,
  /** What stands in its way, if it knows. */
  trouble: nullable(sentence(maxTroubleBytes)),
  /** What it is to its group, and whose votes count; null and nobody: that never changes. */
  membership: nullable(word(16)),
  voters: list(integer(firstClient - 1), 128),
  /** Who came to the group later and is in it, the last ones: for clients that know them not. */
  came: bounded(list(record({ member: integer(firstClient - 1), about: aboutField }), 16), 1600),
  /** Who has left it. */
  left: list(integer(firstClient - 1), 128),
  /** Frames and connections of others that it refused. */
  refused: integer(),
  /** Lies that it can prove, by the frames of two statements each: as many as there is room for. */
  lies: bounded(list(record({ first: frame, second: frame }), 8), mostLiesBytes),
});

/** See {@link remoteReport}. */
export type RemoteReport = Infer<typeof remoteReport>;

/**
 * What two `cluster.json` must have in common for their nodes to be one group, in hexadecimal
 * digits.
 */
export function clusterDigest(config: ClusterConfig): string {
  const { name, group, epoch, protocol, n, f, members } = config;
  const keys = members.flatMap(({ publicKey, certificateKey }) =>
    certificateKey === undefined ? [publicKey] : [publicKey, certificateKey.publicKey],
  );
  const said = JSON.stringify([name, group, epoch, protocol, n, f, keys]);
  return Buffer.from(sha256(toUtf8(said))).toString('hex');
}

/** What a node tells of itself in bytes; nothing if it is not what anybody would take. */
export function encodeReport(
  cluster: string,
  report: NodeReport,
  refused: number,
  lies: readonly PassedLie[] = [],
  roster?: Roster,
): Uint8Array | undefined {
  const { role, term, leader, committed, applied, state, peers } = report;
  const left = roster?.left ?? [];
  try {
    return encode(remoteReport, {
      cluster,
      role,
      term,
      leader: leader ?? null,
      committed: committed + 1,
      applied: applied + 1,
      state,
      peers: peers.filter((id) => id < firstClient),
      lastCommitMilliseconds: report.lastCommitMilliseconds ?? null,
      attack: report.attack ?? null,
      lying: report.lying,
      trouble: report.trouble?.replaceAll(/[^ -~]/g, '?').slice(0, maxTroubleBytes) ?? null,
      membership: report.membership ?? null,
      voters: report.voters ?? [],
      came: (roster?.seats ?? []).filter(({ member }) => !left.includes(member)).slice(-16),
      left,
      refused,
      lies: passable(lies),
    });
  } catch (error) {
    // Nobody who asks may end a node, whatever its machine says of itself.
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** The report in `bytes`; nothing if it is none. */
export function decodeReport(bytes: Uint8Array): RemoteReport | undefined {
  try {
    return decode(remoteReport, bytes);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
