/** What stands in the files, byte by byte, against the plain twin of the format. */
import { expect, test } from 'vitest';
import { opened, textOf } from '../test/opened.ts';
import {
  diskOf,
  flushedOf,
  kinds,
  pathOf,
  segmentOf,
  type TwinRecord,
  wordAt,
} from '../test/twin.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

const fileOf = (files: FaultyFiles, name: string | number): Uint8Array =>
  files.image().get(pathOf(name))!;

const saltOf = (files: FaultyFiles, sequence: number): number =>
  wordAt(fileOf(files, sequence), 44);

const bytesOf = (size: number): Uint8Array => new Uint8Array(size).map((_, i) => (i * 7) & 0xff);

test('a log is the bytes that its format says, alone, in groups and after a restart', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  const payloads = [0, 1, 2, 3, 4, 5, 6, 7, 8, 30].map(bytesOf);
  for (const payload of payloads.slice(0, 8)) await log.append(payload);
  // Both were written at once, so the second says no more than the first of what is durable.
  await Promise.all(payloads.slice(8).map((payload) => log.append(payload)));
  const records: Partial<TwinRecord>[] = payloads.map((payload) => ({ payload }));
  records[9] = { ...records[9], durable: 8 };
  const salt = saltOf(files, 1);
  const before = segmentOf({ salt }, records);
  const written = fileOf(files, 1);
  expect(written.subarray(0, before.bytes.length)).toEqual(before.bytes);
  expect(written.subarray(before.bytes.length).every((byte) => byte === 0)).toBe(true);
  expect(log.bytes).toBe(before.bytes.length);
  const said = { sequence: 1, record: 10, link: before.link };
  expect(fileOf(files, 'flushed.bin')).toEqual(
    flushedOf({ ...said, turn: 12 }, { turn: 11, sequence: 1, record: 8, link: linkAt(8) }),
  );
  await log.close();
  const marked = segmentOf({ salt }, [...records, { kind: kinds.mark }]);
  expect(fileOf(files, 1).subarray(0, marked.bytes.length)).toEqual(marked.bytes);
  const proof = { sequence: 1, record: 11, link: marked.link };
  expect(fileOf(files, 'flushed.bin')).toEqual(
    flushedOf({ ...proof, turn: 14 }, { ...proof, turn: 15 }),
  );
  const again = await opened(files);
  expect(again.batches).toEqual(payloads);
  expect(again.log.bytes).toBe(marked.bytes.length);

  function linkAt(count: number): number {
    return segmentOf({ salt }, records.slice(0, count)).link;
  }
});

test('a rotation continues the chain of records, and a rewrite begins another', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { segmentBytes: 150 });
  for (const size of [10, 20]) await log.append(bytesOf(size));
  const salt = saltOf(files, 1);
  const first = segmentOf({ salt }, [{ payload: bytesOf(10) }, { payload: bytesOf(20) }]);
  expect(first.bytes.length).toBeGreaterThanOrEqual(150);
  await log.append(bytesOf(30));
  const { lastRecord: born, link } = first;
  const head = { flags: 0, sequence: 2, firstRecord: 3, born, link, salt: saltOf(files, 2) };
  const second = segmentOf(head, [{ payload: bytesOf(30) }]);
  expect(fileOf(files, 2).subarray(0, second.bytes.length)).toEqual(second.bytes);
  expect(log.bytes).toBe(first.bytes.length + second.bytes.length);
  await log.rewrite([bytesOf(40), bytesOf(50)]);
  const base = { flags: 1, sequence: 3, firstRecord: 4, born: 5, salt: saltOf(files, 3) };
  const third = segmentOf(base, [{ payload: bytesOf(40) }, { payload: bytesOf(50), durable: 3 }]);
  expect(fileOf(files, 3)).toEqual(third.bytes);
  expect(log.bytes).toBe(third.bytes.length);
  expect([...files.image().keys()].sort()).toEqual([pathOf(3), pathOf('flushed.bin')]);
  await log.close();
  // What is born with its segment needs no mark behind it.
  expect(fileOf(files, 3)).toEqual(third.bytes);
});

test('numbers of more than 32 bits are kept whole', async () => {
  const sequence = 5 * 2 ** 32 + 7;
  const firstRecord = 9 * 2 ** 32 + 11;
  const born = firstRecord;
  const head = { sequence, firstRecord, born };
  const records = [{ payload: 'one', durable: born - 1 }, { payload: 'two' }];
  const forged = segmentOf(head, records);
  const { lastRecord: record, link } = forged;
  const turn = 3 * 2 ** 32 + 2;
  const disk = new Map(diskOf({ [sequence]: forged }, { sequence, record, link }));
  // The newer slot is the one with the higher turn, also where only its upper half is higher.
  disk.set(
    pathOf('flushed.bin'),
    flushedOf(
      { turn, sequence, record, link },
      { turn: 2 ** 32 + 5, sequence, record: 1, link: 1 },
    ),
  );
  const files = faultyFiles(disk);
  const { log, batches } = await opened(files, { segmentBytes: 300 });
  expect(batches.map(textOf)).toEqual(['one', 'two']);
  const marked = segmentOf(head, [...records, { kind: kinds.mark }]);
  expect(fileOf(files, sequence).subarray(0, marked.bytes.length)).toEqual(marked.bytes);
  const said = { sequence, record: record + 1, link: marked.link };
  expect(fileOf(files, 'flushed.bin')).toEqual(
    flushedOf({ ...said, turn: turn + 2 }, { ...said, turn: turn + 3 }),
  );
  await log.append(bytesOf(100));
  await log.append(bytesOf(1));
  const whole = segmentOf(head, [...records, { kind: kinds.mark }, { payload: bytesOf(100) }]);
  const next = segmentOf(
    {
      ...{ flags: 0, sequence: sequence + 1, firstRecord: firstRecord + 4 },
      ...{ born: firstRecord + 3, link: whole.link, salt: saltOf(files, sequence + 1) },
    },
    [{ payload: bytesOf(1) }],
  );
  expect(fileOf(files, sequence + 1).subarray(0, next.bytes.length)).toEqual(next.bytes);
});

test('a payload of zeros never stands as zeros, whatever the salt', async () => {
  // With this salt the key stream of the first record would be zeros, too.
  const salt = 0x9e3779b1 ^ 0x6a09e667;
  const forged = segmentOf({ salt: salt >>> 0 }, [{ payload: new Uint8Array(64) }]);
  const files = faultyFiles();
  const { log } = await opened({ ...files, salt: () => salt >>> 0 });
  await log.append(new Uint8Array(64));
  const written = fileOf(files, 1);
  expect(written.subarray(0, forged.bytes.length)).toEqual(forged.bytes);
  expect(written.subarray(88 + 32, forged.bytes.length).includes(0)).toBe(false);
});
