import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-convert-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quorumlab = (line: string) => said(line, {}, folder);

test('a trace becomes what other tools draw, on stdout or in a file', async () => {
  await quorumlab('run raft --count 2 --attack equivocating-leader --trace a.ndjson');
  const mermaid = await quorumlab('trace convert a.ndjson --to mermaid');
  expect(mermaid.code).toBe(0);
  expect(mermaid.out).toMatch(/^sequenceDiagram\n {2}participant s0 as n0 ⚠\n/);
  const plant = await quorumlab('trace convert a.ndjson --to plantuml --output a.puml');
  expect(plant).toMatchObject({ out: '', code: 0 });
  expect(readFileSync(join(folder, 'a.puml'), 'utf8')).toMatch(/^@startuml\n.*@enduml\n$/s);
  const log = await quorumlab('trace convert a.ndjson --to shiviz');
  expect(log.out).toMatch(/^\(\?<host>.*\n\nn0 \{"n0":1\}\n/);
  const printed = await quorumlab('replay a.ndjson --step');
  expect(printed.out).toMatch(/\[\d+\] [\d.]+ ms {2}n0 sends append-entries with \w+ to n1/);
  expect(printed.out).toContain('identical');
});

test('what is no trace, and what is no format, is one sentence', async () => {
  const none = await quorumlab('trace convert nowhere --to mermaid');
  expect(none).toMatchObject({ code: 254, err: expect.stringContaining('QL108') });
  const format = await quorumlab('trace convert a.puml --to pdf');
  expect(format).toMatchObject({ code: 254, err: expect.stringContaining('mermaid, plantuml or') });
  const other = await quorumlab('trace convert a.puml --to mermaid');
  expect(other).toMatchObject({ code: 254, err: expect.stringContaining('QL128') });
});
