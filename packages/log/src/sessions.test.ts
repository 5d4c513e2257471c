import {
  bytes,
  type DigestOf,
  decode,
  encode,
  firstClient,
  firstSequenceOf,
  type PrincipalId,
  type Request,
  type Signature,
  type Signed,
  sessionBytes,
  sessionsBytes,
} from '@quorumlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../test/runs.ts';
import { digestOf } from '../test/world.ts';
import { keyValueStore } from './key-value-store.ts';
import { maxOutstanding } from './messages.ts';
import { maxClients, maxSessionsOfClient, noSessions } from './session-state.ts';
import { isRefused, nextSession, type Ran, runOnce, wellFormed } from './sessions.ts';
import { loadSessions, storedSessions, storeSessions } from './stored-sessions.ts';

const signature = new Uint8Array() as Signature;
const echo = { ...keyValueStore(), apply: (operation: Uint8Array) => operation };

interface Asked {
  readonly client?: PrincipalId;
  /** The number of the session. */
  readonly session?: number;
  /** Which life of the client. */
  readonly life?: number;
  /** Which request of that life. */
  readonly turn: number;
  /** The first request of that life whose reply is waited for. */
  readonly waits?: number;
  readonly operation?: Uint8Array;
}

function requestOf({
  client = firstClient,
  session = 0,
  life = 0,
  turn,
  waits = turn,
  operation = new Uint8Array(1),
}: Asked): Signed<Request> {
  return {
    kind: 'request',
    client,
    sequence: firstSequenceOf(life) + turn,
    acknowledged: firstSequenceOf(life) + waits,
    ...(session === 0 ? {} : { session }),
    operations: [operation],
    from: client,
    signature,
  };
}

const large = new Uint8Array(65_000);
/** The digest of many large requests is that of one: it takes a while. */
const ofLarge = digestOf(bytes(65_000), large);
const quick: DigestOf = (field, value) =>
  (value as unknown as Request).operations[0] === large ? ofLarge : digestOf(field, value);

/** Runs requests, each in a slot of its own. */
function runner() {
  const runs = {
    sessions: noSessions(),
    slot: 0,
    run: (asked: Asked) => runOnce(runs.sessions, runs.slot++, requestOf(asked), quick, echo),
    /** Goes on from a snapshot. */
    restart(): void {
      const stored = encode(storedSessions, storeSessions(runs.sessions));
      runs.sessions = loadSessions(decode(storedSessions, stored));
    },
  };
  return runs;
}

describe('sessions', () => {
  test('answer a request only with what it gave itself', () => {
    const { run } = runner();
    const first = new Uint8Array([1]);
    expect(run({ turn: 0, operation: first })).toEqual({ fresh: true, results: [first] });
    expect(run({ turn: 0, operation: first })).toEqual({ fresh: false, results: [first] });
    const other = { turn: 0, operation: new Uint8Array([2]) };
    expect(run(other)).toMatchObject({ reason: 'sequence-reused' });
  });

  test('tell a change of the group from operations under one sequence', () => {
    const { sessions, run } = runner();
    run({ turn: 0, operation: new Uint8Array([1]) });
    const configuration = new Uint8Array([1]);
    const change = { ...requestOf({ turn: 0 }), operations: [], configuration };
    expect(runOnce(sessions, 9, change, digestOf, echo, [])).toMatchObject({
      reason: 'sequence-reused',
    });
  });

  test('say of a request that its client has given up that it is too old', () => {
    const { run } = runner();
    run({ turn: 5 });
    expect(run({ turn: 4 })).toMatchObject({ reason: 'too-old' });
    expect(run({ turn: 5 })).toMatchObject({ fresh: false });
  });

  test('are opened once under each number, by whoever comes first', () => {
    const { sessions, run } = runner();
    expect(run({ life: 1, turn: 0 })).toMatchObject({ fresh: true });
    expect(run({ life: 2, turn: 0 })).toEqual({ reason: 'session-taken', next: 1 });
    expect(run({ life: 2, session: 2, turn: 1 })).toEqual({ reason: 'session-taken', next: 1 });
    expect(nextSession(sessions, firstClient)).toBe(1);
    expect(run({ life: 2, session: 1, turn: 2 })).toMatchObject({ fresh: true });
    // The first one goes on beside it.
    expect(run({ life: 1, turn: 1, waits: 0 })).toMatchObject({ fresh: true });
  });

  test('of one client close when it opens more, and what comes late then never runs', () => {
    const { sessions, run } = runner();
    const busy = { life: 100, session: 0 };
    run({ ...busy, turn: 0 });
    for (let session = 1; session <= maxSessionsOfClient; session++) {
      run({ ...busy, turn: session });
      run({ life: session, session, turn: 0 });
    }
    expect(sessions.accounts.get(firstClient)?.sessions.size).toBe(maxSessionsOfClient);
    // The one that was silent longest has gone, and not the oldest.
    expect(run({ life: 1, session: 1, turn: 0 })).toMatchObject({ reason: 'session-expired' });
    expect(run({ life: 1, session: 1, turn: 9 })).toMatchObject({ reason: 'session-expired' });
    expect(run({ ...busy, turn: maxSessionsOfClient })).toMatchObject({ fresh: false });
  });

  test('of a group with smaller caps close and are forgotten as soon', () => {
    const sessions = noSessions();
    const caps = { clients: 2, ofClient: 1 };
    let slot = 0;
    const run = (asked: Asked) =>
      runOnce(sessions, slot++, requestOf(asked), quick, echo, undefined, caps);
    run({ client: 7, turn: 0 });
    run({ client: 7, session: 1, life: 1, turn: 0 });
    expect(run({ client: 7, turn: 1 })).toMatchObject({ reason: 'session-expired' });
    run({ client: 8, turn: 0 });
    run({ client: 9, session: 0, turn: 0 });
    expect([...sessions.accounts.keys()]).toEqual([8, 9]);
    expect(run({ client: 7, session: 1, life: 1, turn: 1 })).toMatchObject({
      reason: 'session-expired',
    });
  });

  test('keep at most 1,024 replies each, and at most 4 MiB of them', () => {
    const { sessions, run } = runner();
    const operation = large;
    for (let turn = 0; turn < maxOutstanding; turn++) run({ turn, waits: 0, operation });
    const replies = () => sessions.accounts.get(firstClient)?.sessions.get(0)?.replies;
    expect(replies()?.filter((each) => each !== undefined)).toHaveLength(maxOutstanding);
    expect(sessions.size).toBeLessThanOrEqual(sessionBytes + maxOutstanding * 1024);
    expect(wellFormed(requestOf({ turn: maxOutstanding, waits: 0 }))).toBe(false);
    run({ turn: 2000 });
    expect(replies()?.filter((each) => each !== undefined)).toHaveLength(1);
    expect(sessions.size).toBeLessThan(1024);
  });

  test('count what they keep after a snapshot too: who begins with one goes on alike', () => {
    const [one, other] = [runner(), runner()];
    const operation = large;
    // The last one that fits, and one that does not.
    const fits = Math.floor(sessionBytes / large.length);
    for (let turn = 0; turn < fits - 2; turn++)
      for (const each of [one, other]) each.run({ turn, waits: 0, operation });
    other.restart();
    for (let turn = fits - 2; turn < fits + 4; turn++) {
      const asked = { turn, waits: 0, operation };
      const found = [one.run(asked), other.run(asked)] as Ran[];
      const kept = turn < fits ? 1 : 0;
      expect(found.map(({ results }) => results.length)).toEqual([kept, kept]);
    }
  });

  test('of those who take most are emptied first when all together take too much', () => {
    const { sessions, run } = runner();
    run({ client: 7, turn: 0 });
    const operation = large;
    for (let client = firstClient; sessions.size < sessionsBytes - sessionBytes; client++)
      for (let turn = 0; turn < 64; turn++) run({ client, turn, waits: 0, operation });
    for (let turn = 0; turn < 256; turn++) {
      run({ client: 8, turn, waits: 0, operation });
      expect(sessions.size).toBeLessThanOrEqual(sessionsBytes);
    }
    expect(run({ client: 7, turn: 0 })).toEqual({ fresh: false, results: [new Uint8Array(1)] });
    // Whose results are gone has run nevertheless.
    const last = { client: firstClient, turn: 63, waits: 0, operation };
    expect(run(last)).toEqual({ fresh: false, results: [] });
  });

  test('are of 65,536 clients at most; who is forgotten never runs anything again', () => {
    const { sessions, run } = runner();
    const scattered = (i: number) => firstClient + ((i * 7919) % maxClients);
    // The second client opens most sessions, and is among the first to be forgotten.
    for (let i = 0; i < maxClients; i++)
      for (let session = 0; session < (i === 1 ? 3 : 1); session++)
        run({ client: scattered(i), session, life: session, turn: 1 });
    // The very first speaks again, so it is not the one that was silent longest.
    run({ turn: 2 });
    run({ client: 3, turn: 1 });
    expect(sessions.accounts.size).toBe((maxClients / 16) * 15 + 1);
    expect(sessions.accounts.has(firstClient)).toBe(true);
    // Whoever comes from now on begins above all numbers of the forgotten.
    expect(sessions.forgotten).toBe(3);
    for (const client of [1, 2].map(scattered)) {
      expect(nextSession(sessions, client)).toBe(3);
      const asked = (session: number) => run({ client, session, life: session, turn: 1 });
      expect(asked(2)).toMatchObject({ reason: 'session-expired' });
      expect(asked(3)).toMatchObject({ fresh: true });
    }
  });

  test('close the older of two that spoke in one slot, and count what is left', () => {
    const { sessions } = runner();
    const run = (slot: number, session: number) =>
      runOnce(sessions, slot, requestOf({ session, life: session, turn: 0 }), digestOf, echo);
    for (let session = 0; session < maxSessionsOfClient; session++) run(0, session);
    const before = sessions.size;
    expect(run(1, maxSessionsOfClient)).toMatchObject({ fresh: true });
    const account = sessions.accounts.get(firstClient);
    expect([...(account?.sessions.keys() ?? [])][0]).toBe(1);
    expect(account?.complete).toBe(1);
    expect(sessions.size).toBe(before);
  });

  test('of a closed number are told from those that are kept and not its own', () => {
    const { run } = runner();
    for (let session = 0; session <= maxSessionsOfClient; session++) {
      // The second one speaks again and again, so that it stays while earlier and later ones go.
      run({ session, life: session, turn: 0 });
      if (session > 0) run({ session: 1, life: 1, turn: session });
    }
    const asked = (session: number, life: number) => run({ session, life, turn: 900 });
    expect(asked(0, 0)).toEqual({ reason: 'session-expired', next: 0 });
    expect(asked(1, 7)).toEqual({ reason: 'session-taken', next: maxSessionsOfClient + 1 });
    expect(asked(1, 1)).toMatchObject({ fresh: true });
    expect(asked(5, 4)).toEqual({ reason: 'session-taken', next: maxSessionsOfClient + 1 });
  });

  test('of a liar’s snapshot hold nothing that no honest replica would have stored', () => {
    const { sessions, run } = runner();
    run({ turn: 5 });
    const [account] = storeSessions(sessions).clients;
    const [session] = account?.sessions ?? [];
    const [reply] = session?.replies ?? [];
    if (account === undefined || session === undefined || reply === undefined)
      throw new Error('one request ran');
    const { acknowledged } = session;
    const at = (place: number) => ({ ...reply, sequence: acknowledged + place });
    const load = (...places: readonly number[]) => {
      const replies = places.map(at);
      const clients = [{ ...account, sessions: [{ ...session, replies }] }];
      return loadSessions({ forgotten: 0, clients });
    };
    const kept = (of: ReturnType<typeof load>) =>
      of.accounts
        .get(firstClient)
        ?.sessions.get(0)
        ?.replies.flatMap((each, i) => (each ? [i] : []));
    const whole = load(-1, 0, 3, maxOutstanding - 1, maxOutstanding, 2 ** 40);
    expect(kept(whole)).toEqual([0, 3, maxOutstanding - 1]);
    expect(whole.size).toBe(load(0, 3, maxOutstanding - 1).size);
  });

  test('of one client that takes most lose their results before anybody loses a session', () => {
    const { sessions, run } = runner();
    const operation = large;
    const per = 64;
    const clients = Math.ceil(sessionsBytes / (per * large.length));
    for (let client = 0; client < clients; client++)
      for (let turn = 0; turn < per; turn++)
        run({ client: firstClient + client, turn, waits: 0, operation });
    const kept = (client: number) =>
      run({ client: firstClient + client, turn: per - 1, waits: 0, operation }) as Ran;
    expect(sessions.size).toBeLessThanOrEqual(sessionsBytes);
    // All take alike, so those with lower numbers are first; and none has lost its session.
    expect(kept(0)).toEqual({ fresh: false, results: [] });
    expect(kept(clients - 2)).toEqual({ fresh: false, results: [large] });
    expect(sessions.accounts.size).toBe(clients);
  });

  test('refuse what another principal sends in the name of a client', () => {
    expect(wellFormed({ ...requestOf({ turn: 1 }), from: firstClient + 1 })).toBe(false);
  });

  test('run each thing once and never mix two up, whatever comes in whatever order', () => {
    const asked = fc.record({
      client: fc.integer({ min: 0, max: 1 }),
      session: fc.integer({ min: 0, max: 20 }),
      life: fc.integer({ min: 0, max: 20 }),
      turn: fc.integer({ min: 0, max: 3 }),
      waits: fc.integer({ min: 0, max: 3 }),
      operation: fc.integer({ min: 0, max: 2 }).map((byte) => new Uint8Array([byte])),
      // A replica that starts from a snapshot must go on like those that do not.
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(asked, { minLength: 50, maxLength: 150 }), (list) => {
        const one = runner();
        const other = runner();
        const ran = new Map<string, string>();
        for (const { restart, ...each } of list) {
          const wanted = { ...each, waits: Math.min(each.waits, each.turn) };
          // Mostly the next session, so that there are many.
          if (each.session > 10) wanted.session = nextSession(one.sessions, each.client);
          const found = one.run(wanted);
          expect(other.run(wanted)).toEqual(found);
          if (restart) {
            other.restart();
            expect(storeSessions(other.sessions)).toEqual(storeSessions(one.sessions));
            expect(other.sessions.size).toBe(one.sessions.size);
          }
          if (isRefused(found)) continue;
          const name = `${wanted.client}/${wanted.session}/${wanted.life}/${wanted.turn}`;
          expect(found.fresh, name).toBe(!ran.has(name));
          expect(ran.get(name) ?? `${wanted.operation}`).toBe(`${wanted.operation}`);
          ran.set(name, `${wanted.operation}`);
          expect(found.results).toEqual([wanted.operation]);
        }
      }),
      { numRuns: runs(60) },
    );
  });
});
