import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completeScenario, runScenario } from '@quorumlab/harness';
import { demo, linkOf, scenarioOf } from '@quorumlab/harness/link';
import { traceBuffer } from '@quorumlab/sim';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';
import { serve } from './page.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-play-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digests = ([0, 1] as const).map((side) => runScenario(scenarioOf(demo, side)).digest);
const link = linkOf(demo, { digests });

/** What is answered to a path, as somebody calls this machine. */
const asked = (address: string, path: string, host: string, method = 'GET') =>
  new Promise<{ readonly status: number | undefined; readonly text: string }>((resolve, reject) => {
    request(new URL(path, address), { method, headers: { host } }, (answer) => {
      let text = '';
      answer.on('data', (part) => void (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    })
      .on('error', reject)
      .end();
  });

test('the page is served to this machine alone, and nothing beside it', async () => {
  await using served = await serve('<html>here</html>');
  const { host } = new URL(served.address);
  expect(served.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect(await asked(served.address, '/', host)).toEqual({
    status: 200,
    text: '<html>here</html>',
  });
  expect(await asked(served.address, '/../package.json', host)).toMatchObject({ status: 404 });
  expect(await asked(served.address, '/', 'evil.example')).toMatchObject({ status: 404 });
  expect(await asked(served.address, '/', host, 'POST')).toMatchObject({ status: 405 });
  const { port } = new URL(served.address);
  await expect(serve('', Number(port))).rejects.toThrow(`cannot be served at port ${port}`);
});

test('a trace stays a text, whatever stands in it', async () => {
  const evil = '{"a":"</script><script>alert(1)</script>$&"}';
  await using served = await serve('<html></html>', 0, evil);
  const { text } = await asked(served.address, '/', new URL(served.address).host);
  expect(text).not.toContain('</script><script>alert');
  const [, inside = ''] = /id="given-trace">(.*?)<\/script>/s.exec(text) ?? [];
  expect(JSON.parse(inside)).toEqual(JSON.parse(evil));
});

test('a link is replayed: both runs, and their digests held against its own', async () => {
  const same = await said(`replay '${link}'`);
  expect(same).toMatchObject({ code: 0, err: '' });
  for (const digest of digests) expect(same.out).toContain(`digest ${digest} ✓ as the link says`);
  const behind = await said(`replay 'https://lab.example/a/${link}' --json`);
  expect(JSON.parse(behind.out).verdicts.map((each: { digest: string }) => each.digest)).toEqual(
    digests,
  );
  const other = await said(`replay '${link.replace(/h=\w{8}/, 'h=00000000')}'`);
  expect(other).toMatchObject({ code: 3 });
  expect(other.out).toContain('✗ the link says 00000000');
  expect(other.out).toContain('either the versions differ, or the link was edited');
});

test('a link that leads to no run is a sentence that says what to do', async () => {
  for (const [wrong, sentence] of [
    ['https://lab.example/', /leads to no runs; use one that begins with #\/play/],
    ['#/play?n=400', /"n" of the link is no number from 1 to 31/],
    ['#/play?p=rafft,pbft', /no protocol "rafft". Did you mean raft/],
  ] as const) {
    const { code, err } = await said(`replay '${wrong}'`);
    expect({ wrong, code }).toEqual({ wrong, code: 254 });
    expect(err).toMatch(sentence);
  }
});

test('a replay says where to see its run, and the link is of the same run', async () => {
  const file = join(folder, 'a.trace.ndjson');
  const trace = traceBuffer();
  const { digest } = runScenario(completeScenario({ protocol: 'raft', count: 3 }), { trace });
  writeFileSync(file, trace.text());
  const { out } = await said(`replay ${file}`);
  const [, hash = ''] = /quorumlab play '(#\/play[^']*)'/.exec(out.replace(/ \\\n\s*/g, ' ')) ?? [];
  const [first] = JSON.parse((await said(`replay '${hash}' --json`)).out).verdicts;
  expect(first.digest).toBe(digest);
});
