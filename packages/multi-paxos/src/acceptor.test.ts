/** What an acceptor promises, accepts and answers: each seen in what one step of it would do. */
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { accept, heartbeat, report, valueWith } from '../test/messages.ts';
import { type MultiPaxosMessage, type MultiPaxosOptions, multiPaxos } from './index.ts';

const fresh = (more: Partial<MultiPaxosOptions> = {}): Cluster =>
  cluster(multiPaxos({ n: 3, ...more }));
const prepare = (ballot: number, fromSlot = 0): MultiPaxosMessage => ({
  kind: 'prepare',
  ballot,
  fromSlot,
});
const nack = (ballot: number, promised: number) => ({ kind: 'nack', ballot, promised });

describe('an acceptor', () => {
  test.each([
    ['a prepare', prepare(4), 1],
    ['a proposal', accept(4, 0, valueWith('a')), 1],
    ['a heartbeat', heartbeat(4), 1],
  ] as const)('has promised what it answered: %s', (_, first, from) => {
    const group = fresh();
    expect(group.wouldAnswer(from, 2, first).writes[0]).toEqual({
      type: 'save',
      registers: { promised: 4 },
    });
    group.inject(from, 2, first);
    group.packets.length = 0;
    for (const older of [prepare(3), accept(3, 0, valueWith('b')), heartbeat(3)]) {
      const { sends, writes } = group.wouldAnswer(0, 2, older);
      expect([sends, writes]).toEqual([[{ to: 0, message: nack(3, 4) }], []]);
    }
    // Its next own ballot is above, and so is everybody's who hears of it.
    group.now += 1_000_000;
    group.fire(2, 'election');
    expect(group.view(2).ballot).toBe(8);
  });

  test('says a promise again word for word, and waits no longer because of that', () => {
    const group = fresh();
    const first = group.wouldAnswer(1, 2, prepare(4));
    group.inject(1, 2, prepare(4));
    group.now += 14_999;
    expect(group.wouldAnswer(1, 2, prepare(4)).sends).toEqual([]);
    group.now += 1;
    const again = group.wouldAnswer(1, 2, prepare(4));
    expect(again.sends).toEqual(first.sends);
    expect(again.sends).toEqual([{ to: 1, message: { kind: 'promise', ballot: 4, ...report() } }]);
    expect([first.timers.length, again.timers.length]).toEqual([1, 0]);
    expect(again.writes).toEqual([]);
  });

  test('promises a higher ballot to the leader that it hears, and to nobody else', () => {
    const group = fresh();
    group.inject(0, 2, heartbeat(3));
    expect(group.wouldAnswer(1, 2, prepare(7)).sends).toEqual([]);
    expect(group.wouldAnswer(0, 2, prepare(6)).sends).toMatchObject([{ message: { ballot: 6 } }]);
    // What it did not promise it has heard all the same: its next own ballot is above.
    group.inject(1, 2, prepare(7));
    group.now += 300_000;
    group.fire(2, 'election');
    expect(group.view(2).ballot).toBe(11);
  });

  test('no longer hears a leader after a timeout, or when it has promised a higher ballot', () => {
    const group = fresh();
    group.inject(0, 2, heartbeat(3));
    group.now += 299_999;
    expect(group.wouldAnswer(1, 2, prepare(7)).sends).toEqual([]);
    group.now += 1;
    expect(group.wouldAnswer(1, 2, prepare(7)).sends).toMatchObject([{ to: 1 }]);
    const other = fresh();
    other.inject(0, 2, heartbeat(3));
    other.inject(0, 2, prepare(6));
    expect(other.nodes[2]?.machine.status()).toEqual({ term: 6, role: 'follower' });
    expect(other.wouldAnswer(1, 2, prepare(7)).sends).toMatchObject([{ to: 1 }]);
  });

  test.each<[string, (group: Cluster) => void]>([
    ['a candidate', (group) => group.timeout(2, 'election')],
    ['a leader', (group) => group.elect(2)],
  ])('that is %s gives that up for a higher ballot', (role, become) => {
    const group = fresh();
    become(group);
    expect(role).toContain(group.view(2).role);
    group.propose(2, 'mine');
    group.inject(0, 2, accept(9, 0, valueWith('a')));
    expect(group.view(2)).toMatchObject({
      role: 'follower',
      leader: 0,
      ballot: 0,
      asked: new Set(),
      promises: new Map(),
      open: new Map(),
      waiting: [],
      waitingKeys: new Set(),
      contacts: new Map(),
      roundsSent: [],
    });
    expect([...(group.nodes[2]?.timers.keys() ?? [])]).toEqual(['election']);
  });

  test('takes one value a ballot and slot, and answers its repetition without writing', () => {
    const group = fresh();
    const message = accept(3, 0, valueWith('a'));
    group.inject(0, 1, message);
    group.packets.length = 0;
    const accepted = [{ to: 0, message: { kind: 'accepted', ballot: 3, slot: 0 } }];
    expect(group.wouldAnswer(0, 1, message)).toMatchObject({ sends: accepted, writes: [] });
    // After a restart it cannot prove the lie, and still does not follow it.
    group.crash(1);
    group.restart(1);
    const other = group.wouldAnswer(0, 1, accept(3, 0, valueWith('b')));
    expect(other).toMatchObject({ sends: [], writes: [], accusations: [] });
    const newer = group.wouldAnswer(1, 1, accept(4, 0, valueWith('b')));
    expect(newer.writes).toMatchObject([{ registers: { promised: 4 } }, { table: 'accepted' }]);
    expect(newer.accusations).toEqual([]);
  });

  test('accepts four windows ahead of what it knows to be chosen, and no further', () => {
    const group = fresh({ alpha: 2 });
    for (const [slot, isTaken] of [
      [7, true],
      [8, false],
    ] as const) {
      const { sends, writes } = group.wouldAnswer(0, 1, accept(3, slot, valueWith('a')));
      expect(sends.length).toBe(isTaken ? 1 : 0);
      expect(writes.some(({ type }) => type === 'put')).toBe(isTaken);
    }
  });

  test('answers for what is chosen, and does not take it over again', () => {
    const group = fresh();
    group.inject(0, 1, accept(3, 0, valueWith('a')));
    group.inject(0, 1, heartbeat(3, 1));
    expect(group.nodes[1]?.decided).toEqual(['a']);
    group.packets.length = 0;
    const { sends, writes } = group.wouldAnswer(0, 1, accept(3, 0, valueWith('b'), 1));
    expect(sends).toMatchObject([{ message: { kind: 'accepted', slot: 0 } }]);
    expect(writes.some(({ type }) => type === 'put')).toBe(false);
  });

  test('notes how much is chosen in steps that write anyway, and in no others', () => {
    const group = fresh({ alpha: 2 });
    group.inject(0, 1, accept(3, 0, valueWith('a')));
    const saved = { type: 'save', registers: { chosenBelow: 1 } };
    expect(group.wouldAnswer(0, 1, accept(3, 1, valueWith('b'), 1)).writes).toContainEqual(saved);
    expect(group.wouldAnswer(0, 1, accept(3, 90, valueWith('b'), 1)).writes).toEqual([]);
    expect(group.wouldAnswer(0, 1, heartbeat(3, 1)).writes).toEqual([]);
    group.inject(0, 1, accept(3, 1, valueWith('b'), 1));
    const again = group.wouldAnswer(0, 1, accept(3, 2, valueWith('c'), 1)).writes;
    expect(again).toMatchObject([{ type: 'put', table: 'accepted' }]);
  });
});
