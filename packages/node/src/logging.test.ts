import { expect, test } from 'vitest';
import { generateSeed } from './keys.ts';
import { createLogger, nodeLogger } from './logging.ts';

function capture(): { lines: string[]; destination: { write(line: string): void } } {
  const lines: string[] = [];
  return { lines, destination: { write: (line) => void lines.push(line) } };
}

test('no form of a secret reaches the log, wherever it sits in a record', () => {
  const { lines, destination } = capture();
  const logger = createLogger({ level: 'trace', destination });
  const seed = generateSeed();
  const hex = Buffer.from(seed).toString('hex');
  logger.info({ secretKey: hex, options: { seed: hex, list: [{ privateKey: hex }] } }, 'start');
  logger.info({ anything: seed, deep: { deeper: { bytes: Buffer.from(seed) } } }, 'bytes');
  logger.child({ secretKey: hex, raw: seed }).warn('child');
  const text = lines.join('');
  expect(text).not.toContain(hex);
  expect(text).not.toContain(`${seed[0]},${seed[1]}`);
  expect(text).not.toContain(`"0":${seed[0]}`);
  expect(text).toContain('[redacted]');
  expect(text).toContain('[32 bytes]');
});

test('a line is JSON with level, ISO time and the node; lower levels are not written', () => {
  const { lines, destination } = capture();
  const logger = nodeLogger(createLogger({ level: 'info', destination }), {
    node: 3,
    role: 'replica',
    cluster: 'c',
    group: 'g',
    protocol: 'raft',
  });
  logger.debug('unseen');
  logger.error({ err: new Error('broken'), view: 7n }, 'seen');
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  expect(line).toMatchObject({ level: 'error', msg: 'seen', view: '7' });
  expect(line).toMatchObject({ node: 3, role: 'replica', cluster: 'c', protocol: 'raft' });
  expect(new Date(String(line.time)).toISOString()).toBe(line.time);
  expect(line.err).toMatchObject({ message: 'broken' });
});

test('a record that contains itself is cut, not followed', () => {
  const { lines, destination } = capture();
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  createLogger({ destination }).info(loop, 'loop');
  expect(lines.join('')).toContain('[deep]');
});
