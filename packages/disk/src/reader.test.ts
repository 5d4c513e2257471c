/** Logs larger than the window through which they are read. */
import { expect, test } from 'vitest';
import { opened } from '../test/opened.ts';
import { pathOf } from '../test/twin.ts';
import { faultyFiles } from './testing.ts';

const mebibyte = 1 << 20;

test('records that begin in one window and end in another are read', async () => {
  const files = faultyFiles();
  const { log } = await opened(files);
  const sizes = [10, 700_000, 700_000, 20, 1_400_000, 30, 650_000];
  for (const [i, size] of sizes.entries()) await log.append(new Uint8Array(size).fill(i + 1));
  const { batches } = await opened(faultyFiles(files.image()));
  expect(batches.map((batch) => [batch.length, batch[0], batch.at(-1)])).toEqual(
    sizes.map((size, i) => [size, i + 1, i + 1]),
  );
});

test('zeros behind the last record are its end, however many; what is torn is cut', async () => {
  const files = faultyFiles();
  const { log } = await opened(files, { preallocateBytes: 0 });
  await log.append(new Uint8Array(100).fill(1));
  await log.close();
  const image = files.image();
  const written = image.get(pathOf(1))!;
  const far = new Uint8Array(written.length + mebibyte + 5_000);
  far.set(written);
  const open = (bytes: Uint8Array) => opened(faultyFiles(new Map([...image, [pathOf(1), bytes]])));
  expect((await open(far)).batches).toHaveLength(1);
  for (const at of [0, mebibyte - 1, mebibyte + 4_999]) {
    const spoilt = far.slice();
    spoilt[written.length + at] = 1;
    // Nothing proves that there ever was a record: a torn write may have left it.
    const files = faultyFiles(new Map([...image, [pathOf(1), spoilt]]));
    expect((await opened(files)).batches).toHaveLength(1);
    expect(files.image().get(pathOf(1))?.length).toBeLessThan(far.length);
  }
});
