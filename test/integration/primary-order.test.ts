/**
 * Primary order: of what a primary has proposed, a later proposal is delivered only behind all
 * earlier ones. A primary that sends changes of state, each made on top of the one before, depends
 * on it; Multi-Paxos with several proposals under way does not give it, and Zab does.
 */
import { type Request, requestKey, type Shape, type Signed, type Stage } from '@quorumlab/core';
import { exhibit, protocolEntry } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import { type MultiPaxos, multiPaxos } from '@quorumlab/multi-paxos';
import { type Zab, zab } from '@quorumlab/zab';
import { expect, test } from 'vitest';

type Commands = readonly Signed<Request>[];

const among =
  (...members: readonly number[]) =>
  ({ from, to }: { readonly from: number; readonly to: number }): boolean =>
    members.includes(from) && members.includes(to);

/** The slots after `play`, each as the name of what is in it; a no-op is '-'. */
function slotsAfter<S extends LogShape & Shape>(
  right: Parameters<typeof protocolEntry<S>>[0]['right'],
  play: (stage: Stage<S>) => Iterable<Commands>,
): readonly string[] {
  let slots: readonly string[] = [];
  const entry = protocolEntry<S>({
    title: 'as it is',
    right,
    mutants: { none: right },
    exhibits: {
      none: {
        options: { n: 3 },
        shows: 'forked',
        story: 'Of two proposals under way, only the second one arrives anywhere.',
        selfAtOnce: true,
        play(stage) {
          const names = new Map(
            ['Ann', 'Bob', 'Cleo'].map((name) => [requestKey(stage.request(name) as never), name]),
          );
          slots = [...play(stage)].map((commands) => {
            const [first] = commands;
            return first === undefined ? '-' : (names.get(requestKey(first)) ?? '?');
          });
        },
      },
    },
  });
  expect(exhibit(entry, 'none').right.word).toBe('ok');
  return slots;
}

test('Multi-Paxos may choose the second of two proposals without the first', () => {
  const slots = slotsAfter<MultiPaxos>(
    ({ n }) => multiPaxos({ n }),
    (stage) => {
      stage.timeout(0, 'election');
      stage.settle();
      for (const name of ['Ann', 'Bob']) {
        stage.propose([0], name);
        if (name === 'Ann') stage.lose();
      }
      stage.deliver(({ to, message }) => to === 1 && message.kind === 'accept');
      stage.lose();
      stage.crash(0);
      stage.timeout(1, 'election');
      stage.settle(among(1, 2));
      stage.propose([1], 'Cleo');
      stage.settle(among(1, 2));
      const { accepted } = stage.view(1);
      return [...accepted].sort(([one], [two]) => one - two).map(([, { value }]) => value);
    },
  );
  expect(slots).not.toContain('Ann');
  expect(slots.slice(slots.indexOf('Bob') - 1)).toEqual(['-', 'Bob', 'Cleo']);
});

/** Zab with Ann and Bob under way; `isLost`: whether Ann gets anywhere. */
const broadcast = (isLost: boolean): readonly string[] =>
  slotsAfter<Zab>(
    ({ n }) => zab({ n }),
    (stage) => {
      for (const id of [0, 1, 2]) stage.timeout(id, 'election');
      stage.settle();
      for (const name of ['Ann', 'Bob']) {
        stage.propose([0], name);
        if (name === 'Ann' && isLost) stage.lose();
      }
      stage.deliver(({ to, message }) => to === 1 && message.kind === 'propose');
      stage.lose();
      stage.crash(0);
      for (const id of [1, 2]) {
        stage.wait(700_000);
        stage.fire(id, 'election');
      }
      stage.settle(
        ({ from, to, message }) => among(1, 2)({ from, to }) && message.kind === 'notification',
      );
      for (const id of [1, 2]) stage.fire(id, 'grace');
      for (const id of [1, 2]) if (stage.due(id, 'join') !== undefined) stage.fire(id, 'join');
      stage.settle(among(1, 2));
      stage.propose([1, 2], 'Cleo');
      stage.settle(among(1, 2));
      const { history } = stage.view(1);
      return [...history]
        .sort(([one], [two]) => one - two)
        .map(([, { command }]) => (command === null ? [] : [command]));
    },
  );

test('Zab delivers the second of two proposals behind the first, or neither', () => {
  expect(broadcast(true)).toEqual(['Cleo']);
  expect(broadcast(false)).toEqual(['Ann', 'Bob', 'Cleo']);
});
