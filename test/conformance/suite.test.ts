import { protocolEntry, testProtocol } from '@quorumlab/harness/testing';
import { raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';

/** Names of the cases that fail for Raft with `change`. */
function failing(change: Partial<ReturnType<typeof raft>>): string[] {
  const entry = protocolEntry({
    title: 'Raft, broken',
    right: (size) => ({ ...raft(size), ...change }),
  });
  return testProtocol(entry, { seeds: 2, inputs: 400 })
    .filter(({ run }) => {
      try {
        run();
        return false;
      } catch {
        return true;
      }
    })
    .map(({ name }) => name);
}

const right = raft({ n: 3 });

test('the suite passes a protocol that is not in the registry', () => {
  expect(failing({})).toEqual([]);
});

test('control: a handler that throws at what a stranger may send is found', () => {
  const on = {
    ...right.on,
    'pre-vote'(): never {
      throw new Error('surprised');
    },
  };
  expect(failing({ on })).toContain('no decodable message makes a replica throw');
});

test('control: a protocol that cannot tell a lie from the truth is found', () => {
  expect(failing({ conflict: (message) => message })).toEqual([
    'an equivocation breaks a vow and is proven',
  ]);
});

test('control: a protocol that never orders anything is found', () => {
  expect(failing({ propose() {} })).toContain('honest runs over lan agree and finish');
});

test('control: a message without a cap is found', () => {
  const [first] = right.messages.kinds;
  const kinds = right.messages.kinds.map((each) =>
    each === first ? { ...each, maxBytes: Number.POSITIVE_INFINITY } : each,
  );
  expect(failing({ messages: { ...right.messages, kinds } })).toContain(
    'every message has one encoding, within its cap',
  );
});

test('control: a protocol whose terms one message uses up is found', () => {
  const entry = protocolEntry({
    title: 'Raft that believes any term',
    right: ({ n }) => {
      const { counter: _, ...parts } = raft({ n });
      return parts;
    },
  });
  const found = testProtocol(entry, { seeds: 2 }).find(({ name }) => name.includes('far ahead'));
  expect(found?.run).toThrow(/erm = 28147497671\d+, said.*answered/);
});
