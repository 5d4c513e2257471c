/** What protocols, and the services around them, say and store. */
import {
  bytes,
  type Field,
  integer,
  type MessagesField,
  type Protocol,
  reader,
  record,
  type Tagged,
  writer,
  written,
} from '@quorumlab/core';
import { protocolOf, protocols, subjectsOf } from '@quorumlab/harness';
import {
  clientMessages,
  keyValueOperation,
  keyValueResult,
  type LogShape,
  outcome,
  serviced,
  sessionNumber,
} from '@quorumlab/log';
import { type Colophon, decodeColophon, encodeColophon } from '../../packages/log/src/snapshots.ts';
import { storedSessions } from '../../packages/log/src/stored-sessions.ts';
import { fill, valueTrie, writePairs } from '../../packages/log/src/value-trie.ts';
import type { Format, Kind, Kinds, Versions } from './golden.ts';
import { ofField } from './of-field.ts';

/** Each kind of `field` with its tag, as frames carry it. */
const ofMessages = <M extends Tagged>(
  what: string,
  field: MessagesField<M>,
  isOwn: (kind: string) => boolean = () => true,
): Kinds =>
  Object.fromEntries(
    field.kinds
      .filter(({ kind }) => isOwn(kind))
      .map(({ kind, sample }) => [`${what} ${kind}`, { ...ofField(field), sample }]),
  );

const ofStored = (stored: Readonly<Record<string, unknown>>): Kinds =>
  Object.fromEntries(
    Object.entries(stored).map(([name, field]) => [
      `stored ${name}`,
      ofField(field as Field<unknown>),
    ]),
  );

/** What a protocol of 4 replicas says and stores. */
export const protocolFormat = (protocol: Protocol<LogShape>): Format => ({
  name: protocol.name,
  versions: { [protocol.name]: protocol.version },
  raise: `\`version\` in packages/${protocol.name}/src/protocol.ts`,
  kinds: {
    ...ofMessages(
      'message',
      serviced(protocol).messages,
      (kind) => protocol.messages.of(kind) !== undefined,
    ),
    ...ofStored(protocol.stored),
  },
});

const size = { n: 4, f: 1 };

/**
 * A protocol with several rule sets has the same bytes in all of them, but for those with messages
 * of their own: these have a file of their own.
 */
export const ofProtocols: readonly Format[] = protocols
  .flatMap(({ name }) => subjectsOf(name))
  .concat({ name: 'pbft:mac', protocol: 'pbft', options: { authentication: 'mac' } })
  .map(({ name, protocol, options }) => {
    const { create } = protocolOf(protocol);
    const format = protocolFormat(create({ ...size, options }));
    const usual = create(size).messages.kinds.length;
    const isOwn = create({ ...size, options }).messages.kinds.length !== usual;
    return isOwn ? { ...format, name: name.replace(':', '-') } : format;
  });

const raft = protocolOf('raft').create(size);

/** What stands behind the protocol in a service's stable state. */
const serviceFields = Object.fromEntries(
  Object.entries(serviced(raft).stored).filter(([name]) => !(name in raft.stored)),
);

/** Pieces of the key-value store's state. */
const pairs: Kind<readonly (readonly [name: string, value: Uint8Array])[]> = {
  sample: (random) =>
    ['', 'key', 'ÿ'].slice(random.below(2)).map((name) => [name, bytes(9).sample(random)]),
  encode(values) {
    const to = writer();
    writePairs(to, values);
    return written(to);
  },
  decode(piece) {
    const values = valueTrie();
    fill(values, piece);
    return values.entries();
  },
};

const colophonManifest = { kind: 'snapshot-manifest', size: 1 } as const;
const colophonParts = record({
  slot: integer(),
  state: integer(2 ** 32 - 1),
  sessions: integer(2),
  configuration: bytes(99),
});
const colophon: Kind<Colophon> = {
  sample: colophonParts.sample,
  encode: encodeColophon,
  decode(coded) {
    // The manifest that leads here has the same slot.
    const slot = integer().read(reader(coded));
    return decodeColophon({ ...colophonManifest, slot, chunks: ['', '', ''] }, coded);
  },
};

/** Replicas of all protocols send and store these. */
export const service: Format = {
  name: 'service',
  versions: Object.assign({}, ...ofProtocols.map(({ versions }): Versions => versions)),
  raise: '`version` in protocol.ts of every protocol',
  kinds: {
    ...ofMessages('message', clientMessages),
    ...ofStored(serviceFields),
    'snapshot sessions': ofField(storedSessions),
    'snapshot colophon': colophon,
    'snapshot pairs': pairs,
    ...ofMessages('key-value operation', keyValueOperation),
    ...ofMessages('key-value result', keyValueResult),
    'result of a change of the group': ofField(outcome),
    'result that is a session number': ofField(sessionNumber),
  },
};
