/** What the options of each protocol do, and what they are unless told: for helps and lists. */

/** What people need to know of an option. */
export interface OptionNote {
  /** Its value unless told, as people write it; absent where that follows from the group. */
  readonly usual?: string;
  /** What it is, and in what it is counted. */
  readonly meaning: string;
}

/** The notes of one protocol, by option. */
export type OptionNotes = Readonly<Record<string, OptionNote>>;

const snapshots: OptionNotes = {
  snapshotEvery: { usual: '10000', meaning: 'slots between two snapshots; 0: none' },
};

const elections: OptionNotes = {
  electionTimeout: { usual: '300ms', meaning: 'time; each one is drawn from this to twice this' },
  heartbeat: { usual: '30ms', meaning: 'time between two; a tenth of electionTimeout unless told' },
};

const multiPaxos: OptionNotes = {
  alpha: { usual: '16', meaning: 'slots open at a time, and until a change of the group counts' },
  pipeline: { usual: '4', meaning: 'slots that a leader opens for commands at a time' },
  ...elections,
  ...snapshots,
  keepSlots: { usual: '1000', meaning: 'slots kept behind a snapshot' },
  maxCommandsPerSlot: { usual: '1024', meaning: 'commands in one slot, up to 1024' },
  maxWaiting: { usual: '65536', meaning: 'commands that wait at a leader' },
};

const pbft: OptionNotes = {
  requestTimeout: { usual: '1s', meaning: 'time a request may wait before the primary is changed' },
  checkpointEvery: { usual: '128', meaning: 'K: batches between two checkpoints' },
  window: { usual: '256', meaning: 'L: batches logged above a checkpoint; 2K unless told' },
  windowBytes: { usual: '67108864', meaning: 'bytes of requests logged above a checkpoint' },
  maxBatch: { usual: '256', meaning: 'requests in one batch' },
  maxOutstanding: { usual: '2', meaning: 'batches that are ordered and not yet executed' },
};

const hotstuff: OptionNotes = {
  rules: { usual: 'jolteon', meaning: 'which member of the family: how to vote, lock and commit' },
  leaders: { usual: 'sticky', meaning: 'who leads: one for a reign, or another in every view' },
  reign: { usual: '128', meaning: 'views of one sticky leader, 4 or more' },
  requestTimeout: { usual: '1s', meaning: 'time a request may wait before the leader is changed' },
  delta: { usual: '125ms', meaning: 'time that hotstuff-2 waits; an eighth of requestTimeout' },
  checkpointEvery: { usual: '128', meaning: 'blocks between two checkpoints' },
  window: { usual: '264', meaning: 'blocks after a checkpoint; 2 checkpointEvery + 8 unless told' },
  windowBytes: { usual: '67108864', meaning: 'bytes of requests in blocks after a checkpoint' },
  maxBatch: { usual: '256', meaning: 'requests in one block' },
};

/** The notes of the registered protocols, by their names. */
export const optionNotes = {
  'basic-paxos': {
    retry: { usual: '50ms', meaning: 'time of a first attempt; doubled after each vain one' },
    maxRetry: { usual: '1s', meaning: 'time at which the doubling of retry ends' },
  },
  'multi-paxos': multiPaxos,
  'flexible-paxos': {
    ...multiPaxos,
    q1: { meaning: 'how many promise; what meets q2, or a majority, unless told' },
    q2: { meaning: 'how many accept; just enough to meet q1 unless told' },
    grid: { meaning: 'rows and columns in place of q1 and q2, e.g. 2x3' },
    weights: { meaning: 'what each replica weighs in place of 1, e.g. 3,1,1,1' },
  },
  raft: {
    ...elections,
    preVote: { usual: 'true', meaning: 'ask before raising the term' },
    checkQuorum: { usual: 'true', meaning: 'leaders and voters judge by whom they hear' },
    ...snapshots,
    keepEntries: { usual: '1000', meaning: 'entries kept behind a snapshot' },
    maxEntriesPerAppend: { usual: '1024', meaning: 'entries in one AppendEntries, up to 1024' },
    maxInFlight: { usual: '4', meaning: 'unacknowledged AppendEntries with entries per follower' },
    maxUncommitted: { usual: '65536', meaning: 'uncommitted entries before a leader says no' },
  },
  pbft,
  hotstuff,
} as const satisfies Readonly<Record<string, OptionNotes>>;
