/**
 * The messages of Tendermint, each declared once: its schema is its encoding and its limits, and
 * its type follows from it. `h`, `round`, `id(v)` and `vr` of the paper are `height`, `round`,
 * `value` and `validRound`; its nil and its -1 are null. `set` is the newest set of validators that
 * was decided before that height, by the first height at which it votes: see `validators.ts`.
 */
import {
  batchField,
  certificate,
  digest,
  type Infer,
  integer,
  list,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
} from '@quorumlab/core';

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly maxBatch: number;
}

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Every schema of a group of `n`. The order of `messages` is the tag on the wire. */
export function schemas({ n, maxBatch }: Sizes) {
  const batch = batchField(maxBatch);
  // The first height is 1: it is slot 0 of the log. The first round is 0.
  const place = { height: number, round: number, set: number };
  const validRound = nullable(number);
  // By the valid round of its proposal a prevote says what its sender had seen before: that shows
  // who forgets a lock and votes for something else.
  const prevote = message('prevote', { ...place, value: nullable(digest), validRound });
  const precommit = message('precommit', { ...place, value: nullable(digest) });
  const polka = certificate(prevote, n);
  const commit = certificate(precommit, n);
  const proposal = message('proposal', { ...place, batch, validRound, polka: nullable(polka) });
  const checkpoint = message('checkpoint', { height: number, set: number, state: digest });
  const stable = certificate(checkpoint, n);
  const decided = record({ commit, batch });
  return {
    // What id(v) is the digest of: the requests without their signatures, which are not unique.
    content: list(request, maxBatch),
    number,
    block: record({ value: digest, batch }),
    decided,
    prevote,
    precommit,
    polka,
    commit,
    checkpoint,
    stable,
    messages: messages(
      proposal,
      prevote,
      precommit,
      message('polka', { polka }),
      message('decision', { commit, batch }),
      message('relay', { requests: batch }),
      message('status', { ...place, validRound, stable: number }),
      message('fetch-batch', { height: number, value: digest }),
      message('batch', { height: number, batch }),
      checkpoint,
      message('stable-checkpoint', { checkpoint: stable }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/**
 * ⟨PROPOSAL, h, round, v, vr⟩, line 19. `polka` shows that `batch` had a quorum's prevotes in
 * `validRound`, to whoever has not heard them.
 */
export type Proposal = OfKind<Message, 'proposal'>;

/** ⟨PREVOTE, h, round, id(v)⟩, and the valid round of the proposal that it is for. */
export type Prevote = OfKind<Message, 'prevote'>;

/** ⟨PRECOMMIT, h, round, id(v)⟩: its sender is locked on v. */
export type Precommit = OfKind<Message, 'precommit'>;

/** Prevotes of a quorum for one value in one round. */
export type Polka = Infer<Schemas['polka']>;

/** Precommits of a quorum for one value in one round: it is decided. */
export type Commit = Infer<Schemas['commit']>;

/** Passes on a polka: whoever missed one of its prevotes has it now. */
export type PolkaMessage = OfKind<Message, 'polka'>;

/** What was decided at a height, whoever sends it. */
export type Decision = OfKind<Message, 'decision'>;

/** A replica passes requests on to the others. */
export type Relay = OfKind<Message, 'relay'>;

/** Where the sender stands, and the newest set it knows. Whoever has what it lacks sends it. */
export type StatusReport = OfKind<Message, 'status'>;

/** Asks for the batch that `value` stands for. */
export type FetchBatch = OfKind<Message, 'fetch-batch'>;

/** The answer to {@link FetchBatch}. Its digest says whether it is the right one. */
export type BatchBody = OfKind<Message, 'batch'>;

/**
 * The state after `height` has this digest. Those say so who go on from there, the validators of
 * the next height, and `set` is the newest one that was decided up to `height`.
 */
export type Checkpoint = OfKind<Message, 'checkpoint'>;

/** A quorum has the same state after the same height. */
export type StableCheckpoint = OfKind<Message, 'stable-checkpoint'>;

/** What was decided at a height, with its proof. */
export type Decided = Infer<Schemas['decided']>;

/** A batch and what it is known by. */
export type Block = Infer<Schemas['block']>;
