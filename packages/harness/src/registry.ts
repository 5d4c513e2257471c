import { entry as basicPaxos } from '@quorumlab/basic-paxos/entry';
import { entry as epaxos } from '@quorumlab/epaxos/entry';
import { entry as flexiblePaxos } from '@quorumlab/flexible-paxos/entry';
import { entry as hotstuff } from '@quorumlab/hotstuff/entry';
import { entry as minbft } from '@quorumlab/minbft/entry';
import { entry as multiPaxos } from '@quorumlab/multi-paxos/entry';
import { entry as pbft } from '@quorumlab/pbft/entry';
import { entry as raft } from '@quorumlab/raft/entry';
import { entry as streamlet } from '@quorumlab/streamlet/entry';
import { entry as tendermint } from '@quorumlab/tendermint/entry';
import { entry as zab } from '@quorumlab/zab/entry';
import { type ProtocolEntry, protocolEntry } from './protocol-entry.ts';

/** The protocols of this repository: crash-fault ones first. */
export const entries: ProtocolEntry[] = [
  protocolEntry(basicPaxos),
  protocolEntry(multiPaxos),
  protocolEntry(flexiblePaxos),
  protocolEntry(epaxos),
  protocolEntry(raft),
  protocolEntry(zab),
  protocolEntry(pbft),
  protocolEntry(hotstuff),
  protocolEntry(tendermint),
  protocolEntry(streamlet),
  protocolEntry(minbft),
];
