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

const raft: Refusals = {
  fromAnybody: [],
  refused: [
    row('append-reply', 'Figure 2: a reply to an earlier term is no reply', ...old('term')),
    row('append-reply', 'Figure 2: only a leader counts replies', 'to another'),
    row('pre-vote', 'thesis 9.6: nobody is asked twice', 'to another'),
    row('pre-vote-reply', 'thesis 9.6: one vote a member', ...old('term'), 'twice'),
    row('rejoin-reply', 'rejoin.ts: of this loss, and one a member', ...wrong('nonce')),
    row('rejoin-reply', 'rejoin.ts: of this loss, and one a member', 'an earlier one', 'twice'),
    row('vote', '5.2: votes of this term, for oneself', ...old('term'), ...wrong('candidate')),
    row('vote', '5.2: one vote a member', 'an earlier one', 'to another', 'twice'),
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
    row('learn', 'known already', 'an earlier one', 'twice', 'votes emptied'),
    row('nack', '2.5: of the ballot under way', ...far('ballot'), 'an earlier one'),
    row('nack', '2.5: nothing higher than was tried', 'promised nothing', 'twice'),
    row('promise', 'phase 1b: of the ballot under way', ...wrong('ballot')),
    row('promise', 'phase 1b: one a member', 'an earlier one', 'to another', 'twice'),
    row('promise', 'phase 1b: no vote above the ballot', ...far('votes[].ballot')),
    row('recalled', 'rejoin.ts: of this loss', ...wrong('attempt'), 'an earlier one', 'twice'),
  ],
};

const multiPaxos: Refusals = {
  ...flexiblePaxos,
  refused: [
    ...flexiblePaxos.refused,
    // Where quorums are flexible, hardly anybody leads that has heard of another one's votes.
    row('accepted', 'phase 2b: one a member and slot', 'to another'),
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
    row('committed', 'executed already', 'an earlier one', 'twice'),
    row('stable-checkpoint', '4.3: above h', 'an earlier one', 'twice'),
    row('fetch-batch', 'nobody has such a batch', 'digest another'),
    row('new-view', '4.4: signed by the primary of its view', 'from another member'),
    row('new-view', '4.4: of that view', ...wrong('view'), 'twice'),
    row('proofs', '4.4: asked for', 'proofs emptied', 'twice'),
    row('relay', '4.1: waiting already', 'requests emptied', 'twice'),
    row('status', 'answered already', 'twice'),
    row('view-change', '4.4: of a later view, once', ...old('view'), 'twice'),
    row('view-change', '4.4: ascending, above h', 'prepared one twice', 'prepared turned round'),
    row('view-change', '4.4: prepared in earlier views', ...far('prepared[].view')),
    row('view-change', '4.4: below H', ...far('prepared[].sequence')),
  ],
};

const hotstuff: Refusals = {
  fromAnybody: [],
  presence: ['heard'],
  refused: [
    row('proposal', 'by the leader of its view', 'from another member'),
    row('proposal', 'block.view > justify.view, of this leader', ...wrong('block.view')),
    row('proposal', 'justify certifies the parent', 'block.parent another', 'justify left out'),
    row('proposal', 'timeouts of a quorum for the view before', ...wrong('timeouts[].view')),
    row('proposal', 'one a view', 'twice'),
    row('vote', 'what was certified is older than the vote', ...far('justifyView'), 'view nothing'),
    row('vote', 'of views that may still be certified', 'an earlier one'),
    row('timeout', 'what was certified is older than the view', ...far('highView'), 'view nothing'),
    row('new-view', 'known already', 'twice'),
    row('blocks', 'each one is the digest asked for', ...wrong('blocks[].block.view')),
    row('blocks', 'each one is the digest asked for', ...wrong('blocks[].block.height')),
    row('blocks', 'each one is the digest asked for', 'blocks[].block.parent another'),
    row('blocks', 'each is the parent of the one before', 'blocks turned round', 'blocks emptied'),
    row('blocks', 'asked for, once', 'an earlier one', 'twice'),
    row('checkpoint', 'at checkpoints only', ...wrong('height')),
    row('checkpoint', 'above the stable one, one a member', 'an earlier one', 'twice'),
    row('stable-checkpoint', 'above the stable one', 'twice'),
    row('relay', 'waiting already', 'requests emptied', 'twice'),
    row('status', 'answered already', 'twice'),
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
};
