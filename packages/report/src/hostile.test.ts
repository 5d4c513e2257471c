/** Names, operations and sentences of others never become markup, whatever they are. */
import { createHash } from 'node:crypto';
import { completeScenario, runScenario } from '@quorumlab/harness';
import { traceBuffer } from '@quorumlab/sim';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleResult, sampleRow } from '../test-support/sample.ts';
import { githubData, githubProperty, markdown, markdownCode, scriptJson, xml } from './escape.ts';
import { evidenceOf } from './evidence.ts';
import { githubAnnotations } from './github.ts';
import { htmlReport } from './html.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { html } from './markup.ts';
import { mergeResults } from './merge.ts';
import { replayOf } from './rows.ts';

const evil = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '<!--<script>',
  ']]><evil/>',
  '\u2028\u0000\ud800',
  '| a | `b` | [c](javascript:alert(1)) @somebody https://evil.example',
  '%0A::error::forged,title=x:\r\n::set-output name=a::b',
];

const hostile = (text: string) =>
  sampleResult([
    sampleRow({
      protocol: text,
      attack: text,
      word: 'forked',
      expected: false,
      seed: text,
      digest: text,
      mutant: text,
      options: { [text]: text },
      story: [text],
      hits: 1,
      counterexample: {
        ...{ rule: text, sentence: text, seats: [0], events: 3, seed: text, replay: text },
        culprits: [0],
        proofs: [
          {
            signer: 0,
            about: text,
            first: { kind: text, what: text, signature: text },
            second: { kind: text, what: text, signature: text },
          },
        ],
        first: { seed: text, events: 9, replay: text },
      },
    }),
  ]);

/** The names of elements in a page. */
const elements = (page: string): readonly string[] =>
  [...page.matchAll(/<([a-z!?/][^\s>]*)/gi)].map(([, name]) => (name as string).toLowerCase());

test('a page of hostile names has the elements of one of harmless names, and no more', () => {
  const options = { date: '2026-01-01' };
  const plain = elements(htmlReport({ result: hostile('harmless'), ...options }));
  for (const text of evil) {
    const result = { ...hostile(text), command: text, crypto: text, stopped: text };
    const page = htmlReport({ result, ...options, date: text });
    const stopped = { ...hostile('harmless'), stopped: 'harmless' };
    expect(elements(page)).toEqual(elements(htmlReport({ result: stopped, ...options })));
    expect(page).not.toMatch(/\son\w+="/);
    const json = /id="result">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(result)));
  }
  expect(plain.length).toBeGreaterThan(50);
});

/** A run whose operations, and whose protocol, are called so. */
const evidenceNamed = (text: string) => {
  const trace = traceBuffer();
  runScenario(completeScenario({ protocol: 'raft', attack: 'equivocating-leader' }), { trace });
  const said = JSON.stringify(text).slice(1, -1);
  return evidenceOf(trace.text().replaceAll(/Ann|append-entries/g, () => said));
};

test('a page with a viewer runs that one script, and holds hostile runs as text', () => {
  const live = (text: string): string =>
    htmlReport({
      result: hostile(text),
      evidence: new Map([[0, evidenceNamed(text)]]),
      viewer: `'</script><!--<script>'`,
    });
  const plain = elements(live('harmless'));
  for (const text of evil) {
    const page = live(text);
    expect(elements(page)).toEqual(plain);
    expect(page).not.toMatch(/\son\w+="/);
    const scripts = [...page.matchAll(/<script(?<of>[^>]*)>(?<is>.*?)<\/script>/gs)];
    const [run, ...more] = scripts.filter(({ groups }) => !/type="app/.test(groups?.of ?? ''));
    expect(more).toEqual([]);
    // The policy names it by its digest: another script, wherever it came from, is not run.
    const digest = createHash('sha256')
      .update(run?.groups?.is ?? '')
      .digest('base64');
    expect(page).toContain(`; script-src &#39;sha256-${digest}&#39; blob:; worker-src blob:"`);
    const held = scripts.find(({ groups }) => groups?.of?.includes('class="trace"'));
    expect(JSON.parse(held?.groups?.is ?? '').name).toContain(JSON.parse(JSON.stringify(text)));
  }
});

test('whatever a text is, it stays text in an element and in an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const made = html`<p title="${text}">${text}</p>`.html;
      expect(made.match(/[<>"]/g)?.join('')).toBe('<"">' + '<>');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot write these.
      expect(xml(text)).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f]/);
      expect(JSON.parse(scriptJson(text))).toBe(text);
      expect(scriptJson(text)).not.toMatch(/[<>&]/);
      expect(markdown(text)).not.toMatch(/[\n<>]|(?<!\\)[`[\]|]/);
      expect(markdownCode(text)).not.toMatch(/\n/);
      expect(githubData(text)).not.toMatch(/[\r\n]/);
      expect(githubProperty(text)).not.toMatch(/[\r\n:,]/);
    }),
    { numRuns: 60 },
  );
});

test('a note of a build is one line with one command, whatever is in it', () => {
  for (const text of evil) {
    const [first, ...rest] = githubAnnotations(hostile(text));
    expect(first).toMatch(/^::error title=[^:,\r\n]*::[^\r\n]*$/);
    expect(rest).toHaveLength(1);
  }
});

test('JUnit has no element and Markdown no line that names could have made', () => {
  const plain = junitReport(hostile('harmless'));
  const lines = markdownReport(hostile('harmless')).split('\n').length;
  for (const text of evil) {
    expect(elements(junitReport(hostile(text)))).toEqual(elements(plain));
    const told = markdownReport(hostile(text));
    expect(told.split('\n')).toHaveLength(lines);
    expect(told.replaceAll('<br>', '').replace(/<\/?(details|summary)>/g, '')).not.toMatch(
      /^[^`]*<[a-z]/m,
    );
  }
});

test('merging takes hostile names as they are', () => {
  const [one] = evil as [string];
  const merged = mergeResults([{ file: one, result: hostile(one) }], one);
  expect(merged.verdicts[0]).toMatchObject({ protocol: one, attack: one });
  expect(replayOf(sampleRow({}))).toBeUndefined();
});
