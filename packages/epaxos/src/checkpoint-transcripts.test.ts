/**
 * Checkpoints, snapshots, and what a replica drops, offers and fetches; told word for word in
 * `test/runs`. After a wanted change run this file with `UPDATE_RUNS=1`, and read what has
 * changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal } from '../test/messages.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import type { Runs, Value } from './index.ts';

const small = { n: 3, snapshotEvery: 2 };
const set = (...ids: readonly number[]): Runs => ids.map((from) => ({ from, count: 1 }));
const isCheckpoint = { value: { kind: 'checkpoint', commands: [] } satisfies Value };

/** `to` is told that these were committed, each after those before it. */
function commits({ group }: Told, to: number, ...ids: readonly number[]): void {
  ids.forEach((id, i) => {
    const message = proposal(id, `${id}`, set(...ids.slice(Math.max(0, i - 1), i)));
    group.inject((to + 1) % 3, to, { kind: 'commit', ballot: 0, ...message });
  });
}

/** A checkpoint in instance `id` is committed, after these. */
const cutAt = ({ group }: Told, to: number, id: number, after: Runs): void =>
  group.inject((to + 1) % 3, to, {
    kind: 'commit',
    ballot: 0,
    ...proposal(id, '', after),
    ...isCheckpoint,
  });

const all: readonly Scene[] = [
  {
    title: 'After two commands replica 0 opens a checkpoint; all execute it and take a snapshot',
    options: small,
    script: ({ group, settle, say, knows, deliver }) => {
      group.propose(0, 'a');
      settle();
      group.propose(1, 'b');
      deliver({ kind: 'pre-accept' });
      deliver({ kind: 'pre-accept-ok' });
      deliver({ kind: 'commit' });
      settle();
      for (const id of [0, 2])
        knows(id, 'cut', 'covered', 'executed', 'nextOwn', 'cutSlot', 'slot');
      say('What comes next names the checkpoint in place of all that was before it.');
      group.propose(2, 'c');
      settle();
      group.propose(2, 'd');
      settle();
      say('With the second checkpoint all that was opened before the first one is dropped.');
      for (const id of [0, 2])
        knows(id, 'instances', 'values', 'liveBytes', 'cutBytes', 'snapshot');
    },
  },
];

const turns: readonly Scene[] = [0, 1, 2].map((self) => ({
  ...(self === 0
    ? { title: 'Whose turn it is: one after the other, later if the first is silent' }
    : {}),
  options: { n: 3, snapshotEvery: 3 },
  of: [self],
  script: (run) => {
    const other = (self + 1) % 3;
    run.quietly(() => commits(run, self, other, other + 3));
    for (let i = 2; i < 6; i++) commits(run, self, other + 3 * i);
    run.knows(self, 'own', 'cut');
  },
}));

const bytes: Scene = {
  title: 'When what was executed fills 16 MiB it is time, however few they are',
  options: { n: 3 },
  of: [0],
  script: (run) => {
    const { group } = run;
    const due = 16 * 2 ** 20;
    const [request] = proposal(0, 'large').value.commands;
    const [first] = request?.operations ?? [];
    if (request === undefined || first === undefined) return;
    // What an instance and a request count beside their operations, and `first` with its length.
    const rest = new Uint8Array(due - 1 - (16 + 128 + 64 + 3));
    const value: Value = {
      kind: 'commands',
      commands: [{ ...request, operations: [first, rest] }],
    };
    group.inject(1, 0, { kind: 'commit', ballot: 0, ...proposal(1, ''), value });
    run.knows(0, 'cutBytes', 'own');
    run.say('One byte is missing.');
    group.inject(1, 0, { kind: 'commit', ballot: 0, ...proposal(4, 'small') });
    run.knows(0, 'cutBytes', 'own');
  },
};

const voids: readonly Scene[] = [
  {
    title: 'What is not executed two checkpoints after it was opened never will be',
    options: { n: 3 },
    of: [1],
    script: (run) => {
      const { group, say, knows, lose, wait } = run;
      say('Nobody hears of the first command of replica 1. Another waits for instance 0.');
      group.propose(1, 'unheard');
      lose();
      group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(2, 'after 0', set(0)) });
      group.inject(2, 1, { kind: 'waiting', instance: 0, count: 1 });
      cutAt(run, 1, 3, []);
      knows(1, 'cut', 'own', 'blocked', 'waitingFor', 'unresolved', 'nextOwn');
      say('The second checkpoint: what is below 6 is over.');
      cutAt(run, 1, 6, set(3));
      knows(1, 'cut', 'own', 'blocked', 'waitingFor', 'unresolved', 'executed', 'driven', 'places');
      lose();
      say('Messages about what is over come to nothing, or to an offer.');
      group.inject(0, 1, { kind: 'commit', ballot: 0, ...proposal(0, 'late') });
      group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'late') });
      group.inject(0, 1, { kind: 'accept', ballot: 0, ...proposal(0, 'late') });
      group.inject(0, 1, { kind: 'recover', ballot: 3, instance: 0, checkpoints: 2 });
      group.inject(0, 1, { kind: 'recover', ballot: 3, instance: 0, checkpoints: 1 });
      group.inject(0, 1, { kind: 'validate', ballot: 3, ...proposal(0, 'late') });
      group.inject(0, 1, { kind: 'ask', checkpoints: 0, instances: [0] });
      group.inject(0, 1, { kind: 'ask', checkpoints: 0, instances: [] });
      group.inject(0, 1, { kind: 'ask', checkpoints: 1, instances: [] });
      group.inject(0, 1, { kind: 'ask', checkpoints: 1, instances: [5] });
      group.inject(0, 1, { kind: 'ask', checkpoints: 2, instances: [5] });
      group.inject(0, 1, { kind: 'ask', checkpoints: 2, instances: [6] });
      group.inject(0, 1, { kind: 'progress', checkpoints: 2, committed: set(0, 3, 6) });
      wait(1, 'tick', 0);
    },
  },
  {
    title: 'A checkpoint among instances that depend on each other: the rest runs after it',
    options: { n: 3 },
    of: [1],
    script: (run) => {
      const { group, knows } = run;
      group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(0, 'before', set(5)) });
      group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(5, 'behind', set(3)) });
      cutAt(run, 1, 3, set(0));
      knows(1, 'cut', 'covered', 'executed', 'ready', 'slot', 'cutSlot', 'cutBytes');
    },
  },
];

const fetches: readonly Scene[] = [
  {
    title: 'Who is behind is offered a snapshot, fetches and installs it',
    options: small,
    of: [2],
    script: (run) => {
      const { group, quietly, say, settle, knows, lose, wait } = run;
      quietly(() => {
        group.propose(2, 'mine');
        settle();
        group.propose(2, 'open');
        lose();
        for (let i = 0; i < 8; i++) {
          group.propose(i % 2, `${i}`);
          settle({ from: [0, 1], to: [0, 1] });
        }
      });
      const { cut, snapshot } = group.view(0);
      if (snapshot === null) return;
      const { slot, digest } = snapshot;
      const offer = { kind: 'snapshot-offer', slot, digest } as const;
      say('An offer of what is known already is of no use.');
      group.inject(0, 2, { ...offer, checkpoints: 0 });
      group.inject(0, 2, { ...offer, slot: group.view(2).slot - 1, checkpoints: cut.checkpoints });
      group.inject(3, 2, { ...offer, checkpoints: cut.checkpoints });
      group.inject(0, 2, { kind: 'progress', checkpoints: cut.checkpoints, committed: [] });
      settle();
      knows(2, 'fetching');
      say('The state is here: it goes on from there.');
      group.install(2);
      knows(2, 'cut', 'covered', 'executed', 'own', 'nextOwn', 'slot', 'cutSlot', 'cutBytes');
      knows(2, 'instances', 'values', 'snapshot', 'liveBytes', 'fetching', 'ready', 'places');
      say('What it says now names the checkpoint.');
      settle();
      wait(2, 'tick', 300_000);
      settle();
      say('It starts again from its snapshot.');
      group.crash(2);
      group.restart(2);
      knows(2, 'cut', 'covered', 'executed', 'own', 'nextOwn', 'slot', 'cutSlot', 'cutBytes');
      knows(2, 'liveBytes');
    },
  },
  {
    title: 'Which snapshots count: newer ones, whose checkpoint can be read',
    options: small,
    of: [0],
    script: (run) => {
      const { group, quietly, settle, knows } = run;
      quietly(() => {
        for (let i = 0; i < 6; i++) {
          group.propose(i % 3, `${i}`);
          settle();
        }
      });
      const { snapshot, slot } = group.view(0);
      const configuration = group.nodes[0]?.configuration;
      if (snapshot === null || configuration === undefined) return;
      const { digest } = snapshot;
      knows(0, 'snapshot', 'slot', 'cut');
      for (const type of ['snapshot-taken', 'snapshot-installed'] as const)
        for (const each of [snapshot.slot - 1, snapshot.slot, slot, slot + 5])
          group.step(0, { type, slot: each, digest, configuration });
      for (const type of ['snapshot-taken', 'snapshot-installed'] as const)
        for (const state of [undefined, new Uint8Array([255])])
          group.step(0, {
            type,
            slot: slot + 9,
            digest,
            ...(state === undefined ? {} : { configuration: state }),
          });
      knows(0, 'snapshot', 'slot', 'cut');
    },
  },
];

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each([
  ['checkpoints', all],
  ['checkpoint-turns', [...turns, bytes]],
  ['checkpoint-voids', voids],
  ['checkpoint-fetches', fetches],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
