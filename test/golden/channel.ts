/** What stands around messages: frames, signatures, proofs, and the first words of a channel. */
import {
  bytes,
  fromUtf8,
  integer,
  record,
  type Signature,
  type Signed,
  seal,
  text,
  toUtf8,
} from '@quorumlab/core';
import { clientMessages, type ServiceMessage } from '@quorumlab/log';
import {
  type Domain,
  domainField,
  domainIdentity,
  envelopes,
  frameVersion,
  type Guilty,
  guiltProof,
  guiltSchema,
  isRefusal,
  type ProofGroup,
  signingBytes,
} from '@quorumlab/wire';
import { remoteReport } from '../../packages/cluster/src/remote-report.ts';
import { decodeHello, encodeHello, type Hello } from '../../packages/node/src/hello.ts';
import { FRAME_PROTOCOL } from '../../packages/node/src/transport.ts';
import type { Format, Kind } from './golden.ts';
import { ofField, words } from './of-field.ts';

const domain: Domain = { cluster: 'golden', group: 'g', epoch: 1, protocol: 'raft', version: 4 };
const around = envelopes(domain, clientMessages);

const frame: Kind<Signed<ServiceMessage>> = {
  sample: (random) =>
    seal<ServiceMessage>(
      clientMessages.sample(random),
      random.below(2 ** 17),
      bytes(64).sample(random) as Signature,
    ),
  encode: around.encode,
  decode(coded) {
    const message = around.decode(coded);
    if (isRefusal(message)) throw new Error(`the frame is refused: ${message.detail}`);
    return message;
  },
};

const statementParts = record({
  domain: domainField,
  from: integer(),
  kind: text(20),
  body: bytes(99),
});
const statement: Kind<ReturnType<typeof statementParts.read>> = {
  sample: statementParts.sample,
  encode: ({ domain, from, kind, body }) => signingBytes(domain, from, kind, body),
};

/** A proof: of whom, and what somebody has signed. Reading it back gives the group and its text. */
const proof: Kind<{ readonly group: ProofGroup; readonly guilty: Guilty<ServiceMessage> }> = {
  sample(random) {
    const said = (): Signed<ServiceMessage> => ({ ...frame.sample(random), from: 0 });
    const group = {
      domain: domainField.sample(random),
      f: random.below(4),
      options: { fast: true },
    };
    const publicKeys = [bytes(32).sample(random), bytes(32).sample(random)];
    const contents = [bytes(9).sample(random)];
    const guilty = {
      signer: 0,
      rule: words.sample(random) === 0 ? 'lied' : 'lied again',
      contents,
    };
    return {
      group: { ...group, publicKeys },
      guilty: { ...guilty, first: said(), second: said() },
    };
  },
  encode: ({ group, guilty }) =>
    toUtf8(guiltProof({ messages: clientMessages, members: [0] }, group, [guilty])),
};

/** What is signed begins with `quorumlab/statement/1`. */
const statementVersion = Number(
  fromUtf8(signingBytes(domain, 0, '', new Uint8Array()).subarray(0, 21)).split('/')[2],
);

export const wire: readonly Format[] = [
  {
    name: 'frame',
    versions: { frame: frameVersion },
    raise: '`frameVersion` in packages/wire/src/envelope.ts',
    kinds: {
      frame,
      'name of a domain': { sample: domainField.sample, encode: domainIdentity } as Kind<Domain>,
    },
  },
  {
    name: 'statement',
    versions: { statement: statementVersion },
    raise: 'the number in `statementTag` in packages/wire/src/domain.ts',
    kinds: { statement },
  },
  {
    name: 'proof',
    versions: { proof: Number(guiltSchema.split('/')[1]) },
    raise: 'the number in `guiltSchema` in packages/wire/src/guilt-proof.ts',
    kinds: { proof },
  },
];

const helloParts = record({ from: words, to: words, maxFrameBytes: words });
const hello: Kind<Hello | undefined> = {
  sample: helloParts.sample,
  encode: (value) => encodeHello(value as Hello),
  decode: decodeHello,
};
const firstHello = encodeHello({ from: 0, to: 0, maxFrameBytes: 0 });

export const channel: readonly Format[] = [
  {
    name: 'hello',
    versions: { hello: firstHello[3] as number },
    raise: 'the last byte of `TAG` in packages/node/src/hello.ts',
    kinds: { hello },
  },
  {
    name: 'report',
    versions: { frames: Number(FRAME_PROTOCOL.split('/').at(-1)?.split('.')[0]) },
    raise: 'the number in `FRAME_PROTOCOL` in packages/node/src/transport.ts',
    kinds: { report: ofField(remoteReport) },
  },
];
