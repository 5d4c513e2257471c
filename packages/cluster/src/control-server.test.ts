import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type ControlServer, startControl } from './control-server.ts';

let server: ControlServer | undefined;
let home = '';
afterEach(async () => {
  await server?.stop();
  await rm(home, { recursive: true });
});

/** What comes back for bytes that are sent as they are. */
function ask(path: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path, () => void socket.write(bytes));
    socket.on('data', (data) => {
      answer += data.toString();
      socket.end();
    });
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

test('no question of a local tool ends a node, and the next one is answered', async () => {
  home = await mkdtemp(join(tmpdir(), 'quorumlab-control-'));
  const path = join(home, 'control');
  server = await startControl(path, {
    status: () => ({ well: true }),
    broken: () => {
      throw new Error('not now');
    },
    strange: () => ({ count: 1n }),
  });
  const get = (url: string): string => `GET ${url} HTTP/1.1\r\nHost: node\r\n\r\n`;
  const questions: readonly (readonly [string, number])[] = [
    [get('//'), 400],
    [get('///'), 400],
    [get('http://['), 400],
    [get('http://node:99999/status'), 400],
    [get('/%'), 404],
    [get('*'), 404],
    [get('/__proto__'), 404],
    [get('/broken'), 400],
    [get('/strange'), 400],
    [get(`/${'x'.repeat(5000)}`), 431],
    ['nonsense\r\n\r\n', 400],
    ['\0\0\0\0\r\n\r\n', 400],
    ['GET /status HTTP/9.9\r\n\r\n', 400],
  ];
  for (const [question, code] of questions) {
    expect(await ask(path, question), question.slice(0, 40)).toContain(` ${code} `);
    expect(await ask(path, get('/status'))).toContain('{"well":true}');
  }
});
