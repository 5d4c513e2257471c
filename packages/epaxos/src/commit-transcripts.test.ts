/**
 * Rules 1 to 6 and 14, told word for word in `test/runs`. After a wanted change run this
 * file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal } from '../test/messages.ts';
import { type Scene, tell } from '../test/told.ts';

const fast: Scene = {
  title: 'The fast path',
  options: { n: 3 },
  script: ({ group, say, deliver, copy, settle, lose, knows }) => {
    say('A client asks replica 0. Nobody knows anything that interferes: one round trip.');
    group.propose(0, 'x');
    copy({ kind: 'pre-accept', to: 1 });
    say('A message that comes twice is answered twice, and counts once.');
    deliver({ kind: 'pre-accept' });
    deliver({ kind: 'pre-accept-ok', from: 1 });
    say('It was committed with two answers of three; the third one comes too late to count.');
    deliver({ kind: 'pre-accept-ok' });
    copy({ kind: 'commit', to: 1 });
    deliver({ kind: 'commit' });
    knows(1, 'slot', 'executed', 'unresolved', 'own', 'places', 'liveBytes', 'cutBytes');
    say('What interferes comes after it, whoever leads it.');
    group.propose(1, 'y');
    deliver({ kind: 'pre-accept', to: 2 });
    copy({ kind: 'pre-accept', to: 0 });
    deliver({ kind: 'pre-accept-ok', from: 2 });
    say('Who asks for what is committed already is told so.');
    deliver({ kind: 'commit', to: 0 });
    deliver({ kind: 'pre-accept', to: 0 });
    lose({ kind: 'commit', to: 2 });
    deliver();
    say('Who has not heard of a commit executes nothing that depends on it.');
    group.propose(0, 'z');
    settle();
    knows(2, 'instances', 'executed', 'unresolved', 'blocked', 'ready', 'driven', 'nextOwn');
    say('Now it hears of it.');
    group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(1, 'y', [{ from: 0, count: 1 }]) });
    knows(2, 'executed', 'unresolved', 'blocked', 'ready', 'slot', 'liveBytes', 'cutBytes');
  },
};

const slow: Scene = {
  title: 'The slow path',
  options: { n: 3 },
  script: ({ group, say, deliver, copy, wait, settle, knows }) => {
    say('Two ask at once. Replicas 0 and 1 name their own commands to each other.');
    group.propose(0, 'x');
    group.propose(1, 'y');
    deliver({ kind: 'pre-accept', from: [0, 1], to: [0, 1] });
    deliver({ kind: 'pre-accept-ok' });
    say('Replica 2 could still answer as was proposed, so both wait a little.');
    wait(0, 'grace');
    wait(1, 'grace');
    say('It was not heard: all that was named is accepted.');
    copy({ kind: 'accept', from: 0, to: 1 });
    deliver({ kind: 'accept', from: 0 });
    copy({ kind: 'accept-ok', from: 1 });
    deliver({ kind: 'accept-ok', to: 0 });
    say('Replica 0 waits for what its command depends on, which is not committed yet.');
    knows(0, 'blocked', 'unresolved', 'executed');
    say('Replica 2 has accepted; to a pre-accept that is late it says nothing.');
    deliver({ kind: 'pre-accept', to: 2 });
    deliver({ kind: 'accept', to: 2 });
    deliver({ kind: 'accept-ok' });
    say('Each depends on the other: they run in the order of their numbers.');
    settle();
    knows(2, 'executed', 'blocked', 'unresolved', 'cutBytes');
  },
};

const grace: Scene = {
  title: 'How long the fast path is waited for',
  options: { n: 5, maxCommandsPerInstance: 1, fastPathWait: 7_000 },
  of: [0],
  script: ({ group, say, deliver, settle, knows, lose }) => {
    say('Replicas 3 and 4 know a command of replica 4, which they will name.');
    group.propose(4, 'z');
    deliver({ kind: 'pre-accept', to: 3 });
    lose();
    say('Two commands, one 5 ms after the other. Three answers of five open the slow path.');
    group.propose(0, 'a');
    deliver({ kind: 'pre-accept', to: [1, 3] });
    deliver({ kind: 'pre-accept-ok' });
    group.now += 5_000;
    group.propose(0, 'b');
    deliver({ kind: 'pre-accept', from: 0, to: [1, 3] });
    deliver({ kind: 'pre-accept-ok' });
    group.now += 1_999;
    say('One microsecond too soon nothing has waited long enough.');
    group.fire(0, 'grace');
    group.now += 1;
    say('Now the first has, and the second has not.');
    group.fire(0, 'grace');
    knows(0, 'driven');
    say('The second has no chance any more once replica 4 names another one.');
    deliver({ kind: 'pre-accept', to: 4 });
    deliver({ kind: 'pre-accept-ok', from: 4 });
    group.inject(2, 0, {
      kind: 'pre-accept-ok',
      instance: 5,
      dependencies: [{ from: 3, count: 1 }],
    });
    say('Nothing is left that waits.');
    group.fire(0, 'grace');
    settle();
    knows(0, 'driven', 'executed', 'slot');
  },
};

const larger: Scene = {
  title: 'Seven replicas, f = 3 and e = 2: the fast path takes five, the slow one four',
  options: { n: 7 },
  of: [0],
  script: ({ group, say, deliver, wait }) => {
    group.propose(0, 'x');
    deliver({ kind: 'pre-accept', to: [1, 2, 3, 4] });
    deliver({ kind: 'pre-accept-ok', from: [1, 2] });
    say('Four equal answers, its own included, open the slow path.');
    deliver({ kind: 'pre-accept-ok', from: 3 });
    say('The fifth one closes the fast path.');
    deliver({ kind: 'pre-accept-ok', from: 4 });
    deliver({ kind: 'commit' });
    say('With three that differ the fast path is closed at once.');
    group.propose(6, 'y');
    group.propose(0, 'z');
    deliver({ kind: 'pre-accept', from: 0, to: [1, 6] });
    deliver({ kind: 'pre-accept', from: 6, to: [4, 5] });
    deliver({ kind: 'pre-accept', from: 0, to: [4, 5] });
    deliver({ kind: 'pre-accept-ok', from: [4, 6], to: 0 });
    deliver({ kind: 'pre-accept-ok', from: 1, to: 0 });
    deliver({ kind: 'pre-accept-ok', from: 5, to: 0 });
    say('Four have to accept.');
    deliver({ kind: 'accept', to: [1, 2, 3] });
    deliver({ kind: 'accept-ok', from: [1, 2] });
    deliver({ kind: 'accept-ok', from: 3 });
    say('The timer was set when the slow path opened.');
    wait(0, 'grace');
  },
};

const alone: Scene = {
  title: 'A group of one commits by itself',
  options: { n: 1, maxCommandsPerInstance: 2 },
  script: ({ group, wait }) => {
    group.propose(0, 'x');
    group.propose(0, 'y');
    wait(0, 'tick');
  },
};

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each([
  ['fast-path', [fast]],
  ['slow-path', [slow]],
  ['quorums', [grace, larger, alone]],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
