import { boolean, integer, message, messages, record } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import { readGolden } from './files.ts';
import { formats } from './formats.ts';
import { type Format, type Golden, goldenFaults, renewed, textOf } from './golden.ts';
import { ofField } from './of-field.ts';
import { protocolFormat } from './protocols.ts';

test.each(formats.map((format) => [format.name, format] as const))(
  'what %s says and stores has the bytes of its version',
  async (name, format) => {
    expect(await goldenFaults(format, readGolden(name))).toEqual([]);
  },
);

const vote = { term: integer(), granted: boolean };

/** A protocol in which something was changed. */
const changed = (
  kinds: Format['kinds'] = {
    vote: ofField(messages(message('vote', vote))),
    'stored term': ofField(integer()),
  },
  version = 1,
): Format => ({
  name: 'sound',
  versions: { sound: version },
  raise: '`version` in protocol.ts',
  kinds,
});

const golden: Promise<Golden> = renewed(changed(), undefined);

/** How each change is noticed. */
const changes: Readonly<Record<string, [Format, string]>> = {
  'no change': [changed(), ''],
  'a part that is new': [
    changed({
      ...changed().kinds,
      vote: ofField(messages(message('vote', { ...vote, why: integer() }))),
    }),
    'sound: the encoding of vote changed, although the version is still sound 1: ' +
      'raise `version` in protocol.ts, and then run `npm run golden`.',
  ],
  'parts in another order': [
    changed({
      ...changed().kinds,
      vote: ofField(messages(message('vote', { granted: boolean, term: integer() }))),
    }),
    'the encoding of vote changed',
  ],
  'a message before it, which takes its tag': [
    changed({
      ...changed().kinds,
      vote: {
        ...ofField(messages(message('ask', {}), message('vote', vote))),
        sample: message('vote', vote).sample,
      },
    }),
    'the encoding of vote changed',
  ],
  'a limit that is lower': [
    changed({ ...changed().kinds, 'stored term': ofField(integer(9)) }),
    'the encoding of stored term changed',
  ],
  'bytes that are read as another value': [
    changed({ ...changed().kinds, 'stored term': { ...ofField(integer()), decode: () => 7 } }),
    'and is read as 7',
  ],
  'a stored value of another kind': [
    changed({ ...changed().kinds, 'stored term': ofField(record({ term: integer() })) }),
    'the encoding of stored term changed',
  ],
  'a kind that is new': [
    changed({ ...changed().kinds, 'stored vote': ofField(integer()) }),
    'stored vote is new and has no golden bytes, although the version is still sound 1',
  ],
  'a kind that is gone': [changed({ vote: changed().kinds.vote! }), 'stored term is gone'],
  'a version that was raised': [
    changed(undefined, 2),
    'its golden bytes are those of sound 1, and the version is sound 2: run `npm run golden`',
  ],
  'a version that was raised for a change': [
    changed({ ...changed().kinds, 'stored term': ofField(record({ term: boolean })) }, 2),
    'the encoding of stored term changed; the version was raised, so run `npm run golden`',
  ],
};

test.each(Object.entries(changes))('%s is noticed', async (_, [format, sentence]) => {
  const faults = (await goldenFaults(format, await golden)).join('\n');
  if (sentence === '') expect(faults).toBe('');
  else expect(faults).toContain(sentence);
});

test('what has no golden bytes at all is told to get some', async () => {
  expect(await goldenFaults(changed(), undefined)).toEqual([
    'sound has no golden bytes: run `npm run golden`.',
  ]);
});

test('new bytes need a new version, and what did not change is kept', async () => {
  const before = await golden;
  expect(await renewed(changed(), before)).toEqual(before);
  const kinds = { ...changed().kinds, 'stored term': ofField(record({ term: boolean })) };
  await expect(renewed(changed(kinds), before)).rejects.toThrow('the version is still sound 1');
  const after = await renewed(changed(kinds, 2), before);
  expect(after.versions).toEqual({ sound: 2 });
  expect(after.kinds.vote).toEqual(before.kinds.vote);
  expect(after.kinds['stored term']).not.toEqual(before.kinds['stored term']);
  expect(await goldenFaults(changed(kinds, 2), after)).toEqual([]);
  expect(JSON.parse(textOf(after))).toEqual(after);
});

test('a registered protocol is looked at message by message', async () => {
  const raft = protocolOf('raft').create({ n: 3, f: 1 });
  const [first, ...others] = raft.messages.kinds;
  const other = protocolFormat({ ...raft, messages: messages(...others, first!) });
  const faults = await goldenFaults(other, readGolden('raft'));
  expect(faults).toHaveLength(raft.messages.kinds.length);
  expect(faults[0]).toContain('raise `version` in packages/raft/src/protocol.ts');
});
