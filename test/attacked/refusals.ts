/**
 * What each protocol refuses, kind by kind: sent in place of an honest message, it changes no
 * state, on disk or off it, and nothing is said or decided. `line`: where the paper says it or why.
 */

/** Attacks on one kind of message that do nothing. */
export interface Refusal {
  readonly kind: string;
  /** As the laboratory names them: `view less`, `from another member`, `twice`. */
  readonly attacks: readonly string[];
  readonly line: string;
  /** A second member may well say it: then it is true, or its own. */
  readonly alone?: true;
  /** Few worlds come to it: only the long form is sure to try it. */
  readonly seldom?: true;
  /** When it is wrong: elsewhere it may be true, or of use. Always unless told. */
  readonly where?: (moment: Moment) => boolean;
}

/** What is sent, and to a replica in which state. */
export interface Moment {
  // biome-ignore lint/suspicious/noExplicitAny: rows are of one protocol, and the table is of all.
  readonly sent: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly state: any;
  readonly options: Readonly<Record<string, unknown>> | undefined;
}

/** What is refused from whoever is no member, and what is taken from anybody. */
export interface Refusals {
  /** Kinds that prove themselves, whoever brings them. */
  readonly fromAnybody: readonly string[];
  readonly refused: readonly Refusal[];
  /** What a replica remembers of any message of a member: that its sender is there. */
  readonly presence?: readonly string[];
}

const five = ['less', 'more', 'much more', 'nothing', 'the most'] as const;
/** A number is wrong in every way. */
const wrong = (path: string): readonly string[] => five.map((how) => `${path} ${how}`);
/** A number is out of reach. */
const far = (path: string): readonly string[] => [`${path} much more`, `${path} the most`];
const old = (path: string): readonly string[] => [`${path} less`, `${path} nothing`];

const row = (kind: string, line: string, ...attacks: readonly string[]): Refusal => ({
  kind,
  attacks,
  line,
});
const alone = (kind: string, line: string, ...attacks: readonly string[]): Refusal => ({
  kind,
  attacks,
  line,
  alone: true,
});

const when = (where: (moment: Moment) => boolean, refusal: Refusal): Refusal => ({
  ...refusal,
  where,
});

const isOld = ({ sent, state }: Moment): boolean => sent.term < state.currentTerm;
/** Whatever has a later term ends the receiver's: Figure 2, "All Servers". */
const isNoLater = ({ sent, state }: Moment): boolean => sent.term <= state.currentTerm;

const raft: Refusals = {
  fromAnybody: [],
  refused: [
    when(isOld, row('append-reply', 'Figure 2: of an earlier term, so no reply', ...old('term'))),
    row('append-reply', 'Figure 2: only a leader counts replies', 'to another'),
    when(isOld, row('pre-vote-reply', 'thesis 9.6: of an earlier term', ...old('term'))),
    row('pre-vote-reply', 'thesis 9.6: one vote a member', 'twice'),
    when(
      ({ sent, state }) => sent.nonce !== state.rejoining?.nonce,
      row('rejoin-reply', 'rejoin.ts: of this loss', ...wrong('nonce')),
    ),
    row('rejoin-reply', 'rejoin.ts: one a member', 'an earlier one', 'twice'),
    when(isOld, row('vote', '5.2: votes of this term', ...old('term'))),
    when(isNoLater, row('vote', '5.2: votes for oneself', ...wrong('candidate'), 'to another')),
    row('vote', '5.2: one vote a member', 'an earlier one', 'twice'),
  ],
};

const basicPaxos: Refusals = {
  fromAnybody: [],
  refused: [
    row('prepare', '2.2: who owns a number is told by it', 'from another member'),
    row('accept', '2.2: who owns a number is told by it', 'from another member'),
    row('promise', '2.2: answers to the prepare under way', ...wrong('ballot')),
    row('promise', '2.2: one answer a member', 'an earlier one', 'to another', 'twice'),
    row('accepted', '2.3: one a member and number', 'an earlier one', 'twice'),
    row('nack', '2.5: of the number under way', ...wrong('ballot'), 'an earlier one', 'to another'),
    row('nack', '2.5: nothing higher than was tried', 'promised nothing', 'twice'),
    row('decided', '2.3: known already', 'twice'),
  ],
};

const flexiblePaxos: Refusals = {
  fromAnybody: [],
  refused: [
    ...['prepare', 'accept', 'heartbeat'].flatMap((kind) => [
      row(kind, '2.2: who owns a ballot is told by it', 'from another member'),
      alone(kind, '2.2: the next ballot is another’s', 'ballot less', 'ballot more'),
    ]),
    row('accepted', 'phase 2b: votes for the ballot that leads', ...wrong('ballot')),
    row('accepted', 'phase 2b: one a member and slot', 'twice'),
    row('catch-up', 'nothing is known there', ...far('fromSlot')),
    row('forward', 'ordered already', 'twice'),
    row('heartbeat-ack', 'of the ballot that leads', ...wrong('ballot'), 'twice'),
    row('heartbeat-ack', 'of a round that began', ...far('round')),
    row('learn', 'chosen values of consecutive slots', ...far('fromSlot')),
    when(
      ({ sent, state }) => sent.fromSlot + sent.votes.length <= state.firstUnchosen,
      row('learn', 'known already', 'an earlier one'),
    ),
    row('learn', 'known already', 'twice', 'votes emptied'),
    when(
      ({ sent, state }) => sent.promised <= state.heard,
      row('nack', '2.5: of the ballot under way', ...far('ballot')),
    ),
    row(
      'nack',
      '2.5: nothing higher than was tried',
      'an earlier one',
      'promised nothing',
      'twice',
    ),
    row('promise', 'phase 1b: of the ballot under way', ...wrong('ballot')),
    row('promise', 'phase 1b: one a member', 'an earlier one', 'to another', 'twice'),
    when(
      ({ sent }) => sent.votes.some((vote: { ballot: number }) => vote.ballot > sent.ballot),
      row('promise', 'phase 1b: no vote above the ballot', ...far('votes[].ballot')),
    ),
    when(
      ({ sent, state }) => sent.attempt !== state.attempt,
      row('recalled', 'rejoin.ts: of this loss', ...wrong('attempt')),
    ),
    row('recalled', 'rejoin.ts: one a member', 'an earlier one', 'twice'),
  ],
};

const multiPaxos: Refusals = {
  ...flexiblePaxos,
  refused: [
    ...flexiblePaxos.refused,
    // Where quorums are flexible, hardly anybody leads that has heard of another one's votes.
    { ...row('accepted', 'phase 2b: one a member and slot', 'to another'), seldom: true },
  ],
};

const pbft: Refusals = {
  // What was asked for by its digest, and a quorum's Commits.
  fromAnybody: ['batch', 'committed'],
  presence: ['heard', 'excused', 'excusedSince'],
  refused: [
    row('pre-prepare', '4.2: signed by the primary of its view', 'from another member'),
    row('pre-prepare', '4.2: "it is in view v"', ...old('view')),
    alone('pre-prepare', '4.2: of the primary of that view', 'view more'),
    row('pre-prepare', '4.2: between h and H, and once', 'sequence nothing', 'twice'),
    row('prepare', '4.2: of the current view', 'an earlier one'),
    row('prepare', '4.2: between h and H, one a backup', 'sequence nothing', 'twice'),
    row('commit', '4.2: between h and H, one a replica', 'sequence nothing', 'twice'),
    row('checkpoint', '4.3: above h, one a replica', 'sequence nothing', 'an earlier one', 'twice'),
    row('batch', '4.4: "the missing information" has its digest', 'twice'),
    row('batch', '4.4: "the missing information" has its digest', 'batch one short'),
    row('batch', '4.4: "the missing information" has its digest', 'batch one twice'),
    row('committed', '4.2: of the batch that was voted for', 'batch emptied', 'batch one short'),
    row('committed', '4.2: of the batch that was voted for', 'batch one twice'),
    when(
      ({ sent, state }) => sent.commit.body.sequence <= state.lastExecuted,
      row('committed', 'executed already', 'an earlier one'),
    ),
    row('committed', 'executed already', 'twice'),
    row('stable-checkpoint', '4.3: above h', 'an earlier one', 'twice'),
    row('fetch-batch', 'nobody has such a batch', 'digest another'),
    row('new-view', '4.4: signed by the primary of its view', 'from another member'),
    row('new-view', '4.4: of that view', ...wrong('view'), 'twice'),
    row('proofs', '4.4: asked for', 'proofs emptied', 'twice'),
    row('relay', '4.1: waiting already', 'requests emptied', 'twice'),
    row('status', 'answered already', 'twice'),
    when(
      // Who waits for a view is told what others report for it.
      ({ sent, state }) => sent.view < state.view || (sent.view === state.view && state.active),
      row('view-change', '4.4: of a later view, once', ...old('view')),
    ),
    row('view-change', '4.4: of a later view, once', 'twice'),
    row('view-change', '4.4: ascending, above h', 'prepared one twice', 'prepared turned round'),
    row('view-change', '4.4: prepared in earlier views', ...far('prepared[].view')),
    row('view-change', '4.4: below H', ...far('prepared[].sequence')),
  ],
};

const hotstuff: Refusals = {
  fromAnybody: [],
  presence: ['heard', 'excused', 'excusedSince'],
  refused: [
    // Who names a later set knows more, and is asked for it.
    ...[
      row('proposal', 'by the leader of its view', 'from another member'),
      row('proposal', 'block.view > justify.view, of this leader', ...wrong('block.view')),
      row('proposal', 'justify certifies the parent', 'block.parent another', 'justify left out'),
      row('proposal', 'timeouts of a quorum for the view before', ...wrong('timeouts[].view')),
    ].map((each) => when(({ sent, state }) => sent.block.set === state.voters.set, each)),
    row('proposal', 'one a view', 'twice'),
    row('vote', 'what was certified is older than the vote', ...far('justifyView'), 'view nothing'),
    row('vote', 'of the set of this epoch', ...wrong('set')),
    when(
      ({ sent, state }) => sent.set === state.voters.set,
      row(
        'timeout',
        'what was certified is older than the view',
        ...far('highView'),
        'view nothing',
      ),
    ),
    row('new-view', 'known already', 'twice'),
    row('pre-commit', 'matchingQC: the leader shows it', 'from another member', 'twice'),
    row('commit', 'matchingQC: the leader shows it', 'from another member', 'twice'),
    row('decide', 'matchingQC: the leader shows it', 'from another member', 'twice'),
    row('blocks', 'each one is the digest asked for', ...wrong('blocks[].block.view')),
    row('blocks', 'each one is the digest asked for', ...wrong('blocks[].block.height')),
    row('blocks', 'each one is the digest asked for', 'blocks[].block.parent another'),
    when(
      ({ state }) => state.wanted.size === 1,
      row('blocks', 'each is the parent of the one before', 'blocks turned round'),
    ),
    row('blocks', 'asked for, once', 'blocks emptied', 'twice'),
    when(
      ({ sent, options }) => sent.height % Number(options?.checkpointEvery ?? 1) !== 0,
      row('checkpoint', 'at checkpoints only', 'height less', 'height more', ...far('height')),
    ),
    row('checkpoint', 'above the stable one', 'height nothing', 'an earlier one', 'twice'),
    row('stable-checkpoint', 'above the stable one', 'twice'),
    row('relay', 'waiting already', 'requests emptied', 'twice'),
    row('status', 'answered already', 'twice'),
  ],
};

const tendermint: Refusals = {
  // What was asked for by its digest, and a quorum's precommits.
  fromAnybody: ['batch', 'decision'],
  refused: [
    row('proposal', 'line 22: from proposer(h, round)', 'from another member', 'height nothing'),
    // Few proposals of worlds have a valid round.
    { ...row('proposal', 'line 28: 0 ≤ vr < round', ...far('validRound')), seldom: true },
    row('proposal', 'line 22: one a round', 'twice'),
    row('prevote', 'line 36: of this height, one a member', 'height nothing', 'twice'),
    { ...row('prevote', 'accountable: of an earlier round', ...far('validRound')), seldom: true },
    row('precommit', 'line 49: of this height, one a member', 'height nothing', 'twice'),
    row('polka', 'known already', 'twice'),
    row('decision', 'line 49: id(v) of the precommits', 'batch emptied', 'batch one short'),
    row('decision', 'line 49: id(v) of the precommits', 'batch one twice'),
    row('decision', 'decided already', 'twice'),
    row('batch', 'it has the digest that was asked for', 'batch one short', 'batch one twice'),
    row('batch', 'it has the digest that was asked for', 'twice'),
    row('fetch-batch', 'nobody has such a batch', 'value another'),
    row('checkpoint', 'above the stable one, one a member', 'height nothing', 'an earlier one'),
    row('checkpoint', 'above the stable one, one a member', 'twice'),
    row('stable-checkpoint', 'above the stable one', 'an earlier one', 'twice'),
    row('relay', 'waiting already', 'requests emptied', 'twice'),
    row('status', 'answered already', 'twice'),
  ],
};

const minbft: Refusals = {
  // Who said it is signed inside it.
  fromAnybody: ['said'],
  refused: [
    row('relay', 'waiting already', 'requests emptied', 'twice'),
    row('batch', 'here already', 'twice'),
    row('prepare', 'heard already', 'twice'),
    row('commit', 'heard already', 'twice'),
    row('checkpoint', 'heard already', 'twice'),
    row('view-change', 'heard already', 'twice'),
    row('new-view', 'heard already', 'twice'),
    row('req-view-change', 'asked already', 'view nothing', 'twice'),
  ],
};

const streamlet: Refusals = {
  // The votes of a quorum prove it, whoever brings it.
  fromAnybody: ['notarized'],
  refused: [
    row('proposal', 'section 3: from the leader of the epoch', 'from another member'),
    row('proposal', 'section 3: the first of the epoch', 'twice'),
    row('vote', 'section 3: one a member', 'twice'),
    row('vote', 'epochs are listened to only so far ahead', ...far('epoch')),
    row('notarized', 'known already', 'twice'),
    row('clock', 'answered already', 'twice'),
    row('checkpoint', 'above the stable one, one a member', 'height nothing', 'an earlier one'),
    row('checkpoint', 'above the stable one, one a member', 'twice'),
    row('stable-checkpoint', 'above the stable one', 'an earlier one', 'twice'),
    row('relay', 'waiting already', 'requests emptied', 'twice'),
  ],
};

/** By protocol. */
export const refusals: Readonly<Record<string, Refusals>> = {
  raft,
  'basic-paxos': basicPaxos,
  'multi-paxos': multiPaxos,
  'flexible-paxos': flexiblePaxos,
  pbft,
  hotstuff,
  tendermint,
  streamlet,
  minbft,
};
