import { type ProtocolEntry, protocolEntry, testProtocol } from '@quorumlab/harness/testing';
import { type PbftOptions, pbft } from '@quorumlab/pbft';
import { raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';

/** Names of the cases that fail for Raft with `change`. */
function failing(change: Partial<ReturnType<typeof raft>>): string[] {
  const entry = protocolEntry({
    title: 'Raft, broken',
    right: (size) => ({ ...raft(size), ...change }),
  });
  return failingOf(entry);
}

/** Names of the cases that fail for `entry`, of those whose name `about` is part of. */
function failingOf(entry: ProtocolEntry, about = '', seeds = 2): string[] {
  return testProtocol(entry, { seeds, inputs: 400 })
    .filter(({ name }) => name.includes(about))
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

test('control: a change of stable state that nobody writes is found', () => {
  const append = right.on['append-entries'];
  const on: typeof right.on = {
    ...right.on,
    'append-entries'(replica, message, ctx) {
      append(replica, message, ctx);
      Object.assign(replica, { votedFor: ctx.self });
    },
  };
  const entry = protocolEntry({ title: 'Raft, broken', right: (size) => ({ ...raft(size), on }) });
  expect(failingOf(entry, 'disk')).toEqual(['what a step changes on the disk is what it writes']);
});

/** PBFT with `change`, and which cases about `about` fail for it. */
function failingPbft(
  change: (whole: ReturnType<typeof pbft>) => Partial<ReturnType<typeof pbft>>,
  about: string,
): string[] {
  const wrong = (size: PbftOptions) => ({ ...pbft(size), ...change(pbft(size)) });
  return failingOf(protocolEntry({ title: 'PBFT, broken', right: wrong }), about, 6);
}

test('control: a signed part that is not among the evidence is found', () => {
  expect(failingPbft(() => ({}), 'forged')).toEqual([]);
  const silent = ({ evidence }: ReturnType<typeof pbft>) => ({
    evidence: (message: Parameters<NonNullable<typeof evidence>>[0]) =>
      message.kind === 'relay' ? [] : (evidence?.(message) ?? []),
  });
  expect(failingPbft(silent, 'forged')).toHaveLength(1);
});

test('control: a certificate that counts with a signer too few is found', () => {
  expect(failingPbft(() => ({}), 'certificate')).toEqual([]);
  const generous = ({ on }: ReturnType<typeof pbft>) => ({
    on: {
      ...on,
      committed: ((replica, message, ctx) => {
        const { body, seals } = message.commit;
        const missing = [0, 1, 2, 3].filter((each) => seals.every(({ from }) => from !== each));
        const added = missing.flatMap((from) => seals.slice(0, 1).map((any) => ({ ...any, from })));
        on.committed(replica, { ...message, commit: { body, seals: [...seals, ...added] } }, ctx);
      }) satisfies typeof on.committed,
    },
  });
  expect(failingPbft(generous, 'certificate')).toHaveLength(1);
});
