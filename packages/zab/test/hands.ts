/** What members of a told group say by hand, and how they come into the roles that they have. */
import { command, digestOfText } from '@quorumlab/protocol-testing';
import type { AckEpoch, Notification, Transaction, ZabMessage, Zxid } from '../src/index.ts';
import { zxid } from './messages.ts';
import type { Scene, Told } from './told.ts';

/** A run of three, unless told otherwise, in which the steps of `id` are told. */
export const sceneOf =
  (id: number) =>
  (title: string, script: Scene['script'], more: Partial<Scene> = {}): Scene => ({
    ...{ title, options: { n: 3 }, of: [id], script },
    ...more,
  });

type Of<Kind extends ZabMessage['kind']> = Omit<Extract<ZabMessage, { kind: Kind }>, 'kind'>;

/** Transactions `'3:x'`, `'3:no-op'`: their epoch and what is in them. */
export const transactions = (...texts: readonly string[]): readonly Transaction[] =>
  texts.map((text) => {
    const [epoch = '', what = ''] = text.split(':');
    return { epoch: Number(epoch), command: what === 'no-op' ? null : command(what) };
  });

/** The zxid `'3.7'`. */
export const at = (text: string): Zxid => {
  const [epoch = 0, counter = 0] = text.split('.').map(Number);
  return zxid(epoch, counter);
};

/** What `from` says to `to`: messages of one kind, one after the other. */
export const says =
  ({ group }: Told, from: number, to: number) =>
  <Kind extends ZabMessage['kind']>(kind: Kind, ...all: readonly Of<Kind>[]): void => {
    for (const each of all) group.inject(from, to, { kind, ...each } as never);
  };

/** 0 is nominated by all, 1 and 2 follow it, and nothing more has been said. */
export function nominated({ group, lose, quietly }: Told, ...members: readonly number[]): void {
  quietly(() => {
    group.nominate(members.length > 0 ? members : [0, 1, 2]);
    lose();
  });
}

/** Member 1 has lost its leader, and hears that 0 leads and 2 follows. */
export function followsAgain(run: Told): void {
  const { group, lose, quietly } = run;
  quietly(() => {
    group.now += 1_000_000;
    group.fire(1, 'election');
    const about = { round: 9, leader: 0, currentEpoch: 1, zxid: zxid(1, 1) };
    says(run, 2, 1)('notification', { state: 'following', ...about });
    says(run, 0, 1)('notification', { state: 'leading', ...about });
    lose();
  });
}

/** Member 1 follows 0 in `epoch`, in phase 2, with these transactions before. */
export function followsIn(run: Told, epoch: number, ...texts: readonly string[]): void {
  const { lose, quietly } = run;
  nominated(run);
  quietly(() => {
    const say = says(run, 0, 1);
    if (texts.length > 0) {
      const older = epoch - 1;
      const all = transactions(...texts);
      say('newepoch', { epoch: older, beat: 0 });
      say('newleader', { epoch: older, previous: zxid(0, 0), transactions: all });
      followsAgain(run);
    }
    say('newepoch', { epoch, beat: 0 });
    lose();
  });
}

/** Member 1 follows 0 in phase 3 of `epoch`, with these transactions, all committed. */
export function broadcasts(run: Told, epoch: number, ...texts: readonly string[]): void {
  const { lose, quietly } = run;
  nominated(run);
  quietly(() => {
    const say = says(run, 0, 1);
    const all = transactions(...texts);
    say('newepoch', { epoch, beat: 0 });
    say('newleader', { epoch, previous: zxid(0, 0), transactions: all });
    say('commit-ld', { epoch, zxid: zxid(all.at(-1)?.epoch ?? 0, all.length) });
    lose();
  });
}

/** All have made an epoch of 0's theirs, and these commands are committed. */
export function led({ group, settle, quietly, lose }: Told, ...texts: readonly string[]): void {
  quietly(() => {
    const all = group.nodes.map(({ id }) => id);
    group.nominate(all);
    settle();
    const observers = all.filter((id) => group.view(id).observes);
    for (const id of observers) {
      group.timeout(id, 'election');
      settle();
    }
    for (const text of texts) {
      group.propose(0, text);
      settle();
    }
    lose();
  });
}

/** What one that looks says. */
export const looking = (
  leader: number,
  round: number,
  currentEpoch = 0,
  last = '0.0',
): Omit<Notification, 'kind'> => ({
  state: 'looking',
  ...{ round, leader, currentEpoch, zxid: at(last) },
});

/** What a leader says to one that looks. */
export const leading = (leader: number): Omit<Notification, 'kind'> => ({
  ...looking(leader, 9, 2, '1.1'),
  state: 'leading',
});

/** What a follower says to one that looks. */
export const following = (leader: number): Omit<Notification, 'kind'> => ({
  ...leading(leader),
  state: 'following',
});

/** What `epoch`'s leader says in order: these transactions, which follow `previous`. */
export const after = (
  previous: string,
  epoch: number,
  ...texts: readonly string[]
): { epoch: number; previous: Zxid; transactions: readonly Transaction[] } => ({
  epoch,
  previous: at(previous),
  transactions: transactions(...texts),
});

/** What a message of a state says, and what is told of it when it is there. */
export const snap = (
  to: string,
  epoch = 3,
  text = to,
): { epoch: number; zxid: Zxid; digest: string } => ({
  epoch,
  zxid: at(to),
  digest: digestOfText(text),
});

/** The state `text` is in place at member 1. */
export const installed = ({ group }: Told, slot: number, text: string): void =>
  group.step(1, { type: 'snapshot-installed', slot, digest: digestOfText(text) });

/** ACK-E to 0, of its first epoch unless told. */
export const acked = (
  held: string,
  beat = 0,
  more: Partial<AckEpoch> = {},
): Omit<AckEpoch, 'kind'> => ({
  ...{ epoch: 1, leader: 0, currentEpoch: 0, beat },
  ...{ held: at(held), lastZxid: at(held) },
  ...more,
});

/** 0 leads its first epoch in phase 3 with 1 alone; these commands are in its history. */
export function leadsWith1(run: Told, ...texts: readonly string[]): void {
  const { group, lose, quietly } = run;
  nominated(run);
  quietly(() => {
    says(run, 1, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
    says(run, 1, 0)('ack-e', acked('0.0'));
    says(run, 1, 0)('ack-ld', { epoch: 1, zxid: at('0.0'), beat: 0 });
    texts.forEach((text, i) => {
      group.propose(0, text);
      says(run, 1, 0)('ack', { epoch: 1, zxid: at(`1.${i + 1}`), beat: 0 });
    });
    lose();
  });
}
