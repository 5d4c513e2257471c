import { expect, test } from 'vitest';
import { DiskFailedError, DiskFullError } from './errors.ts';
import { openLog } from './log.ts';
import { type DiskFault, type FileOperation, faultyFiles } from './testing.ts';

const folder = '/log';
const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);

async function open(files: ReturnType<typeof faultyFiles>) {
  const batches: string[] = [];
  const log = await openLog(folder, {
    owner: 'failure',
    files,
    segmentBytes: 500,
    replay: (batch) => void batches.push(new TextDecoder().decode(batch)),
  });
  return { log, batches };
}

const faults: readonly (readonly [FileOperation['kind'], DiskFault, string])[] = [
  ['datasync', 'EIO', 'DiskFailedError'],
  ['write', 'EIO', 'DiskFailedError'],
  ['write', 'ENOSPC', 'DiskFullError'],
  ['datasync', 'ENOSPC', 'DiskFullError'],
];

test.each(faults)('%s failing with %s ends the log with %s', async (kind, fault, name) => {
  const files = faultyFiles();
  const { log } = await open(files);
  await log.append(bytesOf('safe'));
  let left = 1;
  // The fault passes; the log must not go on all the same.
  files.failWhen((operation) => (operation.kind === kind && left-- > 0 ? fault : undefined));
  const results = await Promise.allSettled([
    log.append(bytesOf('pending 1')),
    log.append(bytesOf('pending 2')),
    log.rewrite([bytesOf('state')]),
    log.append(bytesOf('behind the rewrite')),
  ]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name } });
  }
  const changes = files.journal.length;
  await expect(log.append(bytesOf('later'))).rejects.toThrow(DiskFailedError);
  await expect(log.rewrite([])).rejects.toThrow(DiskFailedError);
  await log.close();
  expect(files.journal.length, 'a failed log writes nothing more').toBe(changes);
  const again = await open(faultyFiles(files.image()));
  expect(again.batches[0]).toBe('safe');
  expect(again.batches).not.toContain('behind the rewrite');
  expect(again.batches).not.toContain('later');
  await again.log.append(bytesOf('after the restart'));
});

test('any failing change keeps what was acknowledged, wherever it strikes', async () => {
  for (let strike = 0; ; strike++) {
    const files = faultyFiles();
    let struck = false;
    files.failWhen((_, index) => {
      if (index !== strike) return undefined;
      struck = true;
      return 'ENOSPC';
    });
    let acknowledged: string[] = [];
    const work = async (): Promise<void> => {
      const { log } = await open(files);
      for (let i = 0; i < 20; i++) {
        await log.append(bytesOf(`batch ${i}`));
        acknowledged.push(`batch ${i}`);
      }
      await log.rewrite([bytesOf('state')]);
      acknowledged = ['state'];
      await log.append(bytesOf('end'));
      acknowledged.push('end');
      await log.close();
    };
    const result = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!struck) break;
    expect(result, `change ${strike}`).toBeInstanceOf(DiskFullError);
    const { batches } = await open(faultyFiles(files.image()));
    const isKept = acknowledged.every((batch, i) => batches[i] === batch);
    const isState = batches[0] === 'state';
    expect(isKept || isState, `change ${strike}: ${batches}`).toBe(true);
  }
});
