import { expect, test } from 'vitest';
import {
  canonicalJson,
  compareTraces,
  parseTrace,
  TraceError,
  traceBuffer,
  traceWriter,
} from './index.ts';

function sample(): string {
  const sink = traceBuffer();
  const writer = traceWriter({ sink, engine: 'e', scenario: {}, protocolVersions: {} });
  const signed = {
    kind: 'vote',
    from: 1,
    signature: Uint8Array.of(9),
    term: 2,
    data: Uint8Array.of(255),
  };
  const name = writer.message(signed);
  const sent = writer.event(5, 1, 'send', -1, name, { to: 2 });
  writer.event(9, 2, 'deliver', sent, writer.message({ ...signed, signature: Uint8Array.of(8) }));
  writer.footer('d', undefined);
  return sink.text();
}

test('lines are those of the schema, keys in a fixed order, bytes in hexadecimal', () => {
  expect(sample().split('\n')).toEqual([
    '{"schema":"quorumlab.trace/1","engine":"e","scenario":{},"protocolVersions":{}}',
    '{"m":"m0","from":1,"kind":"vote","body":{"data":"0xff","term":2}}',
    '{"i":0,"t":5,"n":1,"k":"send","m":"m0","d":{"to":2}}',
    '{"i":1,"t":9,"n":2,"k":"deliver","c":0,"m":"m0"}',
    '{"events":2,"digest":"d","verdicts":[]}',
    '',
  ]);
  expect(parseTrace(sample()).messages.get('m0')?.body).toEqual({ data: '0xff', term: 2 });
});

test('any plain value has one text', () => {
  const value = {
    b: new Map([[1, new Set([2])]]),
    a: [undefined, null, Uint8Array.of(1)],
    c: undefined,
  };
  expect(canonicalJson(value)).toBe('{"a":[null,null,"0x01"],"b":[[1,[2]]]}');
});

test('the first difference is named by its line and event', () => {
  const text = sample();
  expect(compareTraces(text, text)).toBeUndefined();
  expect(compareTraces(text, text.replace('"t":9', '"t":8'))).toEqual({
    line: 4,
    event: 1,
    first: '{"i":1,"t":9,"n":2,"k":"deliver","c":0,"m":"m0"}',
    second: '{"i":1,"t":8,"n":2,"k":"deliver","c":0,"m":"m0"}',
  });
  const cut = text.split('\n').slice(0, 3).join('\n');
  expect(compareTraces(text, cut)).toMatchObject({ line: 4, event: 1, second: undefined });
  expect(parseTrace(cut).footer).toBeUndefined();
});

test('a damaged trace is refused with its line', () => {
  const wrong: [string, string, number][] = [
    ['quorumlab.trace/1', 'quorumlab.trace/2', 1],
    ['{"m":"m0"', '{"m":"m1"', 3],
    ['"i":1', '"i":2', 4],
    ['"c":0', '"c":1', 4],
    ['"t":5', '"t":0.5', 3],
    ['"events":2', '"events":3', 5],
    ['"digest":"d"', '"digest":1', 5],
    ['{"i":0', '["i"', 3],
  ];
  for (const [good, bad, line] of wrong) {
    let error: unknown;
    try {
      parseTrace(sample().replace(good, bad));
    } catch (caught) {
      error = caught;
    }
    expect(error, bad).toBeInstanceOf(TraceError);
    expect((error as TraceError).line, bad).toBe(line);
  }
  expect(() => parseTrace(`${sample()}{}\n`)).toThrow(/after the footer/);
  expect(() => parseTrace('')).toThrow(TraceError);
});
