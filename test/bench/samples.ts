/** Messages as they occur under load, for the codec and the keyrings. */
import { firstClient, type MessagesField, type Request, type Signed, seal } from '@quorumlab/core';
import {
  anyProtocol,
  kv,
  type LogShape,
  type Serviced,
  type ServicedProtocol,
  serviced,
} from '@quorumlab/log';
import { pbft } from '@quorumlab/pbft';
import { raft } from '@quorumlab/raft';
import { type Domain, digestOf } from '@quorumlab/wire';

type Message = Serviced<LogShape>['Message'];

const signature = new Uint8Array(64).fill(0xa5) as Signed<Request>['signature'];
const operation = kv.put('user42', 'x'.repeat(100));
const raftGroup = serviced(anyProtocol(raft({ n: 3 })));
const pbftGroup = serviced(anyProtocol(pbft({ n: 4, digest: digestOf })));

const request: Signed<Request> = seal<Request>(
  {
    kind: 'request',
    client: firstClient,
    sequence: 1_234_567,
    acknowledged: 1_234_560,
    operations: [operation],
  },
  firstClient,
  signature,
);

/** One message, the codec it belongs to, and the protocol for the evidence inside it. */
export interface Sample {
  readonly name: string;
  readonly message: Message;
  readonly messages: MessagesField<Message>;
  readonly domain: Domain;
}

const domain = (protocol: string): Domain => ({
  cluster: 'bench',
  group: 'log',
  epoch: 0,
  protocol,
  version: 1,
});

const sample = (name: string, of: ServicedProtocol<LogShape>, message: object): Sample => ({
  name,
  message: message as Message,
  messages: of.messages,
  domain: domain(of.name),
});

/** A small vote, a client's request, and a batch on its way to the followers. */
export const samples: readonly Sample[] = [
  sample('pbft commit', pbftGroup, {
    kind: 'commit',
    view: 3,
    sequence: 1_234_567,
    digest: 'ab'.repeat(32),
  }),
  sample('request of 100 B', raftGroup, request),
  sample('append-entries with 16 requests', raftGroup, {
    kind: 'append-entries',
    term: 3,
    prevIndex: 1_234_567,
    prevTerm: 3,
    entries: Array.from({ length: 16 }, () => ({ term: 3, command: request })),
    leaderCommit: 1_234_560,
    round: 99,
  }),
];
