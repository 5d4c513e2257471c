/** The statements of the quiz, by name. Which of them are true, runs say. */
export const statements = {
  'more-servers': 'Seven Raft servers survive one server that lies.',
  signed: 'If every message is signed, a leader cannot tell two stories.',
  silent: 'PBFT with four replicas goes on when any one of them is silent.',
  'two-of-five': 'PBFT with five replicas survives two that lie.',
  'quorum-of-four': 'Quorums of three among four keep PBFT safe from a node that votes twice.',
  'small-quorum': 'In Flexible Paxos, two of five may be enough to commit a command.',
  'old-term': 'A Raft leader may commit an entry of an older term once a majority holds it.',
  'first-read': 'A leader that was just elected by a majority may answer reads at once.',
  'wall-clocks': 'Leases break if the clocks of the servers show different times.',
  restart: 'A validator of Tendermint that was restarted may forget what it was locked on.',
  beyond: 'HotStuff can fork if one more lies than it tolerates.',
  'too-many-crashes': 'If two of three Raft servers crash, the logs can fork.',
} as const;
