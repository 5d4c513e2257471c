import { decode, encode, type PrincipalId } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type VirtualTime, virtualTime } from '../test/virtual-time.ts';
import {
  FileChangedError,
  LockBusyError,
  type LockEvent,
  type LockLog,
  LockSessionOverError,
  lockOperation,
  lockResult,
  lockService,
  openSession,
  type Session,
  type SessionOptions,
  type SessionState,
  timeKeeper,
} from './index.ts';

interface Service {
  readonly time: VirtualTime;
  /** Whether the group answers; what is asked meanwhile is never answered. */
  isUp: boolean;
  log(client: PrincipalId): LockLog;
  open(client: PrincipalId, options?: SessionOptions): Promise<Session>;
}

/** A service of one replica with the three keepers of a group, all on one virtual clock. */
function serviceOf(): Service {
  const time = virtualTime();
  const machine = lockService({ keepers: [0, 1, 2], faulty: 1 });
  const service: Service = {
    time,
    isUp: true,
    log(client) {
      const ask = async (
        bytes: Uint8Array,
        run: (bytes: Uint8Array, client: PrincipalId) => Uint8Array,
        within = Number.POSITIVE_INFINITY,
      ) => {
        if (!service.isUp) {
          await time.sleep(Math.min(within, 1e9));
          throw new Error('no answer in time');
        }
        return decode(lockResult, run(bytes, client));
      };
      return {
        propose: (operation, { withinMilliseconds } = {}) =>
          ask(encode(lockOperation, operation), machine.apply, withinMilliseconds),
        read: (query) => ask(encode(lockOperation, query), machine.query),
      };
    },
    open: (client, options = {}) => openSession(service.log(client), { time, ...options }),
  };
  for (const keeper of [0, 1, 2]) timeKeeper(service.log(keeper), { time });
  return service;
}

const minute = 60_000;

describe('a session', () => {
  test('stays safe for as long as its client lives', async () => {
    const service = serviceOf();
    const session = await service.open(65_536);
    const lock = await session.acquire('door');
    for (let i = 0; i < 10; i++) {
      await service.time.advance(minute);
      expect([session.state, lock.isHeld()]).toEqual(['safe', true]);
    }
    expect(await session.check(lock.sequencer)).toBe(true);
    await session.close();
    expect(lock.isHeld()).toBe(false);
  });

  test('is in jeopardy before the service can have ended it, and safe again after', async () => {
    const service = serviceOf();
    const states: SessionState[] = [];
    const session = await service.open(65_536, { onState: (state) => void states.push(state) });
    const lock = await session.acquire('door');
    service.isUp = false;
    await service.time.advance(15_000);
    expect([session.state, lock.isHeld()]).toEqual(['jeopardy', false]);
    service.isUp = true;
    await service.time.advance(5000);
    // The outage does not count, so the lock is still its own.
    expect([session.state, lock.isHeld()]).toEqual(['safe', true]);
    expect(await session.check(lock.sequencer)).toBe(true);
    expect(states).toEqual(['jeopardy', 'safe']);
    await session.close();
  });

  test('is given up when no word comes for the whole grace', async () => {
    const service = serviceOf();
    const states: SessionState[] = [];
    const session = await service.open(65_536, { onState: (state) => void states.push(state) });
    service.isUp = false;
    await service.time.advance(2 * minute);
    expect(states).toEqual(['jeopardy', 'over']);
    await expect(session.acquire('door')).rejects.toThrow(LockSessionOverError);
    await session.close();
  });

  test('never trusts a lock that another one has by now, however long it pauses', async () => {
    for (const pause of [1000, 5000, 9000, 11_000, 15_000, minute, 3 * minute]) {
      const service = serviceOf();
      const [ann, bob] = [service.time, virtualTime()];
      // Ann's own clock goes on, but nothing of her program runs.
      const session = await openSession(service.log(65_536), { time: { ...bob, now: ann.now } });
      const lock = await session.acquire('door');
      const other = await service.open(65_537);
      let isOther = false;
      void other.acquire('door').then(() => {
        isOther = true;
      });
      for (let passed = 0; passed < pause; passed += 250) {
        await service.time.advance(250);
        expect(isOther && lock.isHeld(), `after ${passed} ms`).toBe(false);
      }
      expect(isOther).toBe(pause >= 15_000);
    }
  });
});

describe('a lock', () => {
  test('is handed over within one poll, and by waiting no longer than was asked', async () => {
    const service = serviceOf();
    const events: LockEvent[] = [];
    const ann = await service.open(65_536, { onEvent: (event) => void events.push(event) });
    const bob = await service.open(65_537);
    const lock = await ann.acquire('door');
    await expect(bob.acquire('door', { waitAtMost: 0 })).rejects.toThrow(LockBusyError);
    const tooShort = bob.acquire('door', { waitAtMost: 1000 });
    const refused = expect(tooShort).rejects.toThrow(/ask to wait for it, or for longer/);
    await service.time.advance(1500);
    await refused;
    const waiting = bob.acquire('door');
    await service.time.advance(4000);
    expect(events).toMatchObject([{ what: 'wanted', name: 'door' }]);
    await lock.release();
    await service.time.advance(300);
    const { sequencer } = await waiting;
    expect(sequencer.generation).toBe(2);
    expect(await ann.check(lock.sequencer)).toBe(false);
    await Promise.all([ann.close(), bob.close()]);
  });
});

describe('a small file', () => {
  test('is written by one of two who both read it before', async () => {
    const service = serviceOf();
    const [ann, bob] = [await service.open(65_536), await service.open(65_537)];
    const events: LockEvent[] = [];
    const eve = await service.open(65_538, { onEvent: (event) => void events.push(event) });
    await eve.watch('leader');
    expect(await ann.read('leader')).toEqual({ content: null, generation: 0 });
    expect(await ann.write('leader', Uint8Array.of(1), 0)).toBe(1);
    await expect(bob.write('leader', Uint8Array.of(2), 0)).rejects.toThrow(FileChangedError);
    await service.time.advance(4000);
    expect(events).toMatchObject([{ what: 'changed', name: 'leader', generation: 1 }]);
    expect(await ann.remove('leader', 1)).toBe(true);
    await Promise.all([ann, bob, eve].map((session) => session.close()));
  });
});
