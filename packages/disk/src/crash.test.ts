import { expect, test } from 'vitest';
import { openLog } from './log.ts';
import { crashImages, type DiskImage, type FaultyFiles, faultyFiles } from './testing.ts';

const folder = '/log';

interface Run {
  readonly files: FaultyFiles;
  /** What the log holds after each acknowledged call, with the journal's length then. */
  readonly acknowledged: readonly { readonly at: number; readonly batches: readonly string[] }[];
  /** What it would hold if each call, acknowledged or not, had been done. */
  readonly asked: readonly { readonly at: number; readonly batches: readonly string[] }[];
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);

async function read(
  files: FaultyFiles,
): Promise<{ batches: string[]; append: () => Promise<void> }> {
  const batches: string[] = [];
  const log = await openLog(folder, {
    owner: 'crash',
    files,
    segmentBytes: 700,
    preallocateBytes: 96,
    replay: (batch) => void batches.push(text(batch)),
  });
  return { batches, append: () => log.append(bytesOf('probe')) };
}

/** Appends of several sizes, alone and in groups, with rotations, rewrites and a clean restart. */
async function script(lyingSync: boolean): Promise<Run> {
  const files = faultyFiles(new Map(), { lyingSync });
  const acknowledged: { at: number; batches: readonly string[] }[] = [];
  const asked: { at: number; batches: readonly string[] }[] = [];
  let held: string[] = [];
  const open = () =>
    openLog(folder, {
      owner: 'crash',
      files,
      segmentBytes: 700,
      preallocateBytes: 96,
      replay: () => {},
    });
  let log = await open();
  const say = async (batches: readonly string[]): Promise<void> => {
    const before = held;
    held = [...held, ...batches];
    for (const [i] of batches.entries()) {
      asked.push({ at: files.journal.length, batches: [...before, ...batches.slice(0, i + 1)] });
    }
    await Promise.all(batches.map((batch) => log.append(bytesOf(batch))));
    acknowledged.push({ at: files.journal.length, batches: held });
  };
  const compact = async (state: readonly string[]): Promise<void> => {
    held = [...state];
    asked.push({ at: files.journal.length, batches: held });
    await log.rewrite(state.map(bytesOf));
    acknowledged.push({ at: files.journal.length, batches: held });
  };
  for (let i = 0; i < 8; i++) await say([`a${i} ${'x'.repeat(i * 11)}`]);
  await say(['g0', '', `g2 ${'\0'.repeat(600)}`, 'g3']);
  await compact(['state', 'of', 'everything']);
  for (let i = 0; i < 6; i++) await say([`b${i} ${'\0'.repeat(i * 40)}`, `c${i}`]);
  await log.close();
  log = await open();
  for (let i = 0; i < 4; i++) await say([`d${i} ${'y'.repeat(200)}`]);
  await compact([]);
  await say(['e']);
  await compact(['last', '\0'.repeat(900)]);
  await say(['f', 'g']);
  await log.close();
  return { files, acknowledged, asked };
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((batch, i) => batch === long[i]);
}

/** Is `batches` what was acknowledged before `count`, or that with later calls done in order? */
function isAllowed(run: Run, count: number, batches: readonly string[]): boolean {
  const sure = run.acknowledged.filter((one) => one.at <= count).at(-1)?.batches ?? [];
  if (isPrefix(batches, sure) && batches.length === sure.length) return true;
  const sureAt = run.acknowledged.filter((one) => one.at <= count).at(-1)?.at ?? 0;
  return run.asked.some(
    (one) =>
      one.at >= sureAt &&
      one.at <= count &&
      one.batches.length === batches.length &&
      isPrefix(batches, one.batches),
  );
}

async function judge(run: Run, count: number, label: string, image: DiskImage): Promise<void> {
  const files = faultyFiles(image);
  const first = await read(files).catch((error: unknown) => {
    throw new Error(`${label}: ${String(error)}`, { cause: error });
  });
  if (!isAllowed(run, count, first.batches)) {
    throw new Error(`${label}: recovered ${JSON.stringify(first.batches)}`);
  }
  // Crash again at once, with nothing lost and with everything lost that was not flushed.
  const length = files.journal.length;
  for (const again of crashImages(files, length)) {
    const second = await read(faultyFiles(again.image));
    expect(second.batches, `${label}, then ${again.label}`).toEqual(first.batches);
    await second.append();
  }
}

/** Of all images each, or one of so many: each is recovered twice and more. */
const stride = process.env.QUORUMLAB_LONG_TESTS === '1' ? 1 : 17;

test('a crash after any change loses nothing acknowledged and invents nothing', async () => {
  const run = await script(false);
  let images = 0;
  for (let count = 0; count <= run.files.journal.length; count++) {
    for (const { label, image } of crashImages(run.files, count)) {
      if (images++ % stride === 0) await judge(run, count, label, image);
    }
  }
  expect(images).toBeGreaterThan(2_000);
});

test('a crash during recovery and after each torn tail is recovered too', async () => {
  const run = await script(false);
  for (let count = 0; count <= run.files.journal.length; count += 5) {
    const images = [...crashImages(run.files, count)];
    const { label, image } = images[Math.floor(images.length / 2)]!;
    const files = faultyFiles(image);
    const { batches } = await read(files);
    for (let inner = 0; inner <= files.journal.length; inner++) {
      for (const again of crashImages(files, inner)) {
        const second = await read(faultyFiles(again.image));
        expect(second.batches, `${label}, then ${again.label}`).toEqual(batches);
      }
    }
  }
});

test('a killed process, then a loss of power around the restart, loses nothing', async () => {
  const run = await script(false);
  let images = 0;
  for (let count = 0; count <= run.files.journal.length; count++) {
    const files = faultyFiles(new Map(), { earlier: run.files.journal.slice(0, count) });
    const { batches } = await read(files);
    const label = `killed after change ${count}`;
    expect(isAllowed(run, count, batches), label).toBe(true);
    for (let inner = count; inner <= files.journal.length; inner++) {
      for (const again of crashImages(files, inner)) {
        if (images++ % stride !== 0) continue;
        const second = await read(faultyFiles(again.image)).catch((error: unknown) => {
          throw new Error(`${label}, then ${again.label}: ${String(error)}`, { cause: error });
        });
        if (inner < files.journal.length) {
          expect(isAllowed(run, count, second.batches), `${label}, ${again.label}`).toBe(true);
        } else {
          expect(second.batches, `${label}, then ${again.label}`).toEqual(batches);
        }
      }
    }
  }
});

test('control: a disk that only pretends to flush is found out by the same check', async () => {
  const run = await script(true);
  const verdicts: boolean[] = [];
  for (let count = 0; count <= run.files.journal.length; count++) {
    const [nothingKept] = crashImages(run.files, count);
    const result = await judge(run, count, nothingKept!.label, nothingKept!.image).then(
      () => true,
      () => false,
    );
    verdicts.push(result);
  }
  expect(verdicts).toContain(false);
});
