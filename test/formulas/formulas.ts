/**
 * What one commit costs by the papers, as formulas of n and f: messages per kind, signatures made
 * and checked, delays. A commit is one request of one operation, from the client's asking to its
 * believing the answer, in the steady state of an honest group; a message to oneself is none.
 */

/** A group of n, of which f may be faulty. */
export interface Size {
  readonly n: number;
  readonly f: number;
}

type Count = (size: Size) => number;

/** One row: a protocol, or one of its rule sets, under the name of its swarm. */
export interface Formula {
  /** Where it stands. */
  readonly source: string;
  /** Copies sent, per kind; there are no other kinds. */
  readonly messages: Readonly<Record<string, Count>>;
  /** Signatures made, the client's included; channels alone make none. */
  readonly signed: Count;
  /** Signatures checked, once per recipient and never one's own. */
  readonly verified: Count;
  /** Positions of the log per commit. */
  readonly positions: number;
  /** Batches that are made durable, by all replicas together; absent: not asserted. */
  readonly flushes?: Count;
  /** One-way delays from the request to its answer. */
  readonly delaysToReply: number;
  /** One-way delays from the request's arrival to the first decision. */
  readonly delaysToDecision: number;
}

const one: Count = () => 1;
const none: Count = () => 0;
const all: Count = ({ n }) => n;
const others: Count = ({ n }) => n - 1;

/** Signatures in a certificate: so many that two certificates share an honest replica. */
const quorum = ({ n, f }: Size): number => Math.floor((n + f) / 2) + 1;

/** A leader that all follow: one round trip to its group, and the answer of one replica. */
const leaderAndFollowers = (source: string, ask: string, answer: string): Formula => ({
  source,
  messages: { request: one, [ask]: others, [answer]: others, reply: one },
  signed: none,
  verified: none,
  positions: 1,
  flushes: all,
  delaysToReply: 4,
  delaysToDecision: 2,
});

/** What PBFT sends, however its messages are authenticated. */
const threePhases = {
  messages: {
    request: one,
    'pre-prepare': others,
    prepare: ({ n }: Size) => (n - 1) ** 2,
    commit: ({ n }: Size) => n * (n - 1),
    reply: all,
  },
  positions: 1,
  delaysToReply: 5,
  delaysToDecision: 3,
};

/**
 * A chain of blocks: a command alone is decided when `blocks` blocks, its own the first, have been
 * proposed. Certificates are lists of signatures: each of the others checks all of a certificate
 * but its own. `section` says why so many blocks.
 */
const chain = (source: string, blocks: number): Formula => ({
  source,
  messages: {
    request: one,
    proposal: ({ n }) => blocks * (n - 1),
    vote: ({ n }) => blocks * (n - 1),
    reply: all,
  },
  // The request, the replies, and per block the leader's proposal and a vote of each.
  signed: ({ n }) => 1 + n + blocks * (1 + n),
  // The request by all, the replies by the client; per block the proposal, the votes, and the
  // certificate in the proposal, of which all signers but the leader know their own signature.
  verified(size) {
    const { n } = size;
    return 2 * n + blocks * (2 * (n - 1) + certificateShown(size));
  },
  positions: blocks,
  delaysToReply: 2 * blocks + 1,
  // The last block needs no votes any more.
  delaysToDecision: 2 * (blocks - 1),
});

/** Checks of a certificate that a leader shows: each of the others checks all but its own part. */
const certificateShown = (size: Size): number => (size.n - 1) * quorum(size) - (quorum(size) - 1);

/** By name of the subject. */
export const formulas: Readonly<Record<string, Formula>> = {
  raft: leaderAndFollowers(
    'Ongaro and Ousterhout, ATC 2014, section 5.3',
    'append-entries',
    'append-reply',
  ),
  zab: {
    source:
      'Junqueira, Reed and Serafini, DSN 2011, section 4.2, phase 3: PROPOSE, ACK and COMMIT, ' +
      'three to each of the others',
    messages: {
      request: one,
      propose: others,
      ack: others,
      commit: others,
      reply: one,
    },
    signed: none,
    verified: none,
    positions: 1,
    flushes: all,
    delaysToReply: 4,
    delaysToDecision: 2,
  },
  'multi-paxos': leaderAndFollowers(
    'Lamport, Paxos Made Simple, 2001, section 3: phase 1 is over for all later slots',
    'accept',
    'accepted',
  ),
  'flexible-paxos': leaderAndFollowers(
    'Howard, Malkhi and Spiegelman, OPODIS 2016, section 4: quorums change, messages do not',
    'accept',
    'accepted',
  ),
  'basic-paxos': {
    source:
      'Lamport, Paxos Made Simple, 2001, sections 2.2 and 2.3: every acceptor tells every learner',
    messages: {
      prepare: others,
      promise: others,
      accept: others,
      accepted: ({ n }) => n * (n - 1),
      reply: all,
    },
    signed: none,
    verified: none,
    positions: 1,
    delaysToReply: 6,
    delaysToDecision: 4,
  },
  epaxos: {
    source: 'Ryabinin, Gotsman and Sutra, OPODIS 2025: the fast path, nothing interferes',
    messages: {
      request: one,
      'pre-accept': others,
      'pre-accept-ok': others,
      commit: others,
      // Whoever executes it answers; the client believes the first.
      reply: all,
    },
    signed: none,
    verified: none,
    positions: 1,
    // What is pre-accepted, and what is committed.
    flushes: ({ n }) => 2 * n,
    delaysToReply: 4,
    delaysToDecision: 2,
  },
  pbft: {
    ...threePhases,
    source: 'Castro and Liskov, OSDI 1999, section 4.2; every message signed',
    // Request, pre-prepare, n-1 prepares, n commits, n replies.
    signed: ({ n }) => 3 * n + 1,
    // Every copy of the above by its recipient, the request in the pre-prepare by each backup.
    verified: ({ n }) => 2 * n ** 2,
  },
  'pbft with MACs': {
    ...threePhases,
    source: 'Castro and Liskov, TOCS 2002, section 3.2; only the client signs',
    signed: one,
    // The request, by each replica.
    verified: all,
  },
  tendermint: {
    source: 'Buchman, Kwon and Milosevic, 2018, Algorithm 1: all vote twice, the proposer too',
    messages: {
      request: one,
      proposal: others,
      prevote: ({ n }) => n * (n - 1),
      precommit: ({ n }) => n * (n - 1),
      reply: all,
    },
    // Request, proposal, n prevotes, n precommits, n replies.
    signed: ({ n }) => 3 * n + 2,
    // Every copy of the above by its recipient, the request in the proposal by each of the others.
    verified: ({ n }) => 2 * n ** 2 + n - 1,
    positions: 1,
    delaysToReply: 5,
    delaysToDecision: 3,
  },
  streamlet: {
    source:
      'Chan and Shi, AFT 2020, section 3: all vote for each block, the leader too; a request ' +
      'alone takes the block that it is in, and one more that makes it final',
    messages: {
      request: one,
      proposal: ({ n }) => 2 * (n - 1),
      vote: ({ n }) => 2 * n * (n - 1),
      reply: all,
    },
    // Request, n replies; per block the proposal and n votes.
    signed: ({ n }) => 1 + n + 2 * (1 + n),
    // The request by all, the replies by the client; per block the proposal and the votes. Those
    // in the certificate beside a proposal are known by then.
    verified: ({ n }) => 2 * n + 2 * (n - 1) * (n + 1),
    positions: 2,
    delaysToReply: 6,
    delaysToDecision: 4,
  },
  minbft: {
    source:
      'Veronese et al., IEEE TC 2013, section 5.1: two phases; the batch goes beside its ' +
      'PREPARE, which is so short that a COMMIT repeats it',
    messages: {
      request: one,
      batch: others,
      prepare: others,
      commit: ({ n }) => (n - 1) ** 2,
      reply: all,
    },
    // Request, batch, prepare, n-1 commits, n replies.
    signed: ({ n }) => 2 * n + 2,
    // Every copy of the above by its recipient, the request in the batch by each backup.
    verified: ({ n }) => n ** 2 + 2 * n - 1,
    positions: 1,
    delaysToReply: 4,
    delaysToDecision: 2,
  },
  'hotstuff:jolteon': chain('Gelashvili et al., FC 2022, section 3.2: two-chains', 3),
  'hotstuff:hotstuff-2': chain('Malkhi and Nayak, HotStuff-2, 2023, section 4: two-chains', 3),
  'hotstuff:chained': chain('Yin et al., PODC 2019, section 5: three-chains', 4),
  'hotstuff:basic': {
    source: 'Yin et al., PODC 2019, section 4, algorithm 2: three rounds of votes and DECIDE',
    messages: {
      request: one,
      proposal: others,
      'pre-commit': others,
      commit: others,
      decide: others,
      vote: ({ n }) => 3 * (n - 1),
      reply: all,
    },
    // Request, replies, what the leader says four times, and three votes of each.
    signed: ({ n }) => 1 + n + 4 + 3 * n,
    // The request by all, the replies by the client; what the leader says by the others, their
    // votes by it, and three certificates: the one in the next proposal is known by then.
    verified: (size) => 2 * size.n + 7 * (size.n - 1) + 3 * certificateShown(size),
    positions: 1,
    delaysToReply: 9,
    delaysToDecision: 6,
  },
};

/**
 * What the slow path of EPaxos adds to the fast one (OPODIS 2025): all dependencies
 * that were named are accepted, which takes a round trip and a flush at each.
 */
export const slowPath = {
  messages: { accept: others, 'accept-ok': others },
  flushes: all,
  delays: 2,
} as const;

/**
 * Kinds that belong to a next request and not to the commit: the one commit of a log of length one
 * is followed by a request that finds no place.
 */
export const ofTheNext: readonly string[] = ['request', 'refusal'];
