import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type Call,
  checkLinearizable,
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  type Model,
  type ModelState,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  verifyWitness,
} from './index.ts';

/** One line of a recorded history: what a process began, or how it ended. */
interface Line<I, O> {
  readonly process: number;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  readonly input: I;
  readonly output: O | undefined;
}

const folder = new URL('../../../test/fixtures/histories/', import.meta.url);
const read = (file: string): readonly string[] =>
  readFileSync(new URL(file, folder), 'utf8').split('\n').filter(Boolean);

/** Pairs beginnings with ends; the place of a line is its time. A read that failed says nothing. */
function historyOf<I, O>(
  lines: readonly Line<I, O>[],
  isRead: (input: I) => boolean,
): readonly Call<I, O>[] {
  const calls: Call<I, O>[] = [];
  const open = new Map<number, number>();
  for (const [at, { process, type, input, output }] of lines.entries()) {
    const index = open.get(process);
    if (type === 'invoke') {
      expect(index).toBeUndefined();
      open.set(process, calls.length);
      calls.push({ process, invokedAt: at, returnedAt: undefined, input, output: undefined });
      continue;
    }
    const call = calls[index as number] as Call<I, O>;
    open.delete(process);
    if (type === 'ok' || (type === 'fail' && !isRead(call.input)))
      calls[index as number] = { ...call, returnedAt: at, output };
  }
  return calls;
}

function registerLine(line: string): Line<RegisterInput<number>, RegisterOutput<number>> {
  const [process, type, kind, value] = line.replace(/^.* - /, '').split('\t') as string[];
  const [first, second] = [...(value ?? '').matchAll(/\d+/g)].map(Number) as [number, number];
  const input: RegisterInput<number> =
    kind === ':read'
      ? { kind: 'read' }
      : kind === ':write'
        ? { kind: 'write', value: first }
        : { kind: 'compare-and-set', expected: first, value: second };
  const output = kind === ':read' ? (first ?? null) : kind === ':cas' ? type === ':ok' : undefined;
  return { process: Number(process), type: type!.slice(1) as 'ok', input, output };
}

const keyValuePattern = /^\{:process (\d+), :type :(\w+), :f :(\w+), :key "(.*)", :value (.*)\}$/;

function keyValueLine(line: string): Line<KeyValueInput, KeyValueOutput> {
  const [, process, type, kind, key, text] = keyValuePattern.exec(line) as string[];
  const value = text === 'nil' ? '' : text!.slice(1, -1);
  const input = { kind, key, value } as KeyValueInput;
  const output = kind === 'get' ? value : undefined;
  return { process: Number(process), type: type as 'ok', input, output };
}

const linearizable = ['etcd_002', 'etcd_005', 'etcd_007', 'c01-ok', 'c10-ok'];
const files = readdirSync(folder).filter((each) => /\.(log|txt)$/.test(each));

function judge(file: string) {
  return file.endsWith('.log')
    ? judged(registerModel<number>(), read(file).map(registerLine))
    : judged(keyValueModel(''), read(file).map(keyValueLine));
}

function judged<S extends ModelState, I, O>(model: Model<S, I, O>, lines: readonly Line<I, O>[]) {
  const calls = historyOf(lines, model.isRead);
  const found = checkLinearizable(model, calls);
  const isOrder = () =>
    found.verdict === 'linearizable' && verifyWitness(model, calls, found.witness);
  return { found, calls, isOrder };
}

test('there are histories to judge', () => {
  expect(files).toHaveLength(12);
});

for (const file of files)
  test(`the recorded history ${file} is judged right`, () => {
    const { found, calls, isOrder } = judge(file);
    console.log(`${file}: ${found.verdict}, ${calls.length} calls, ${found.steps} steps`);
    // Far more if calls of unknown outcome were tried before those that are known to have run.
    expect(found.steps).toBeLessThan(100_000);
    if (linearizable.includes(file.replace(/\.\w+$/, ''))) {
      expect(found.verdict).toBe('linearizable');
      expect(isOrder()).toBe(true);
      return;
    }
    expect(found.verdict).toBe('not-linearizable');
    if (found.verdict !== 'not-linearizable') return;
    const { prefix, call, sentence } = found.blame;
    expect(prefix).not.toContain(call);
    expect(new Set(prefix).size).toBe(prefix.length);
    expect(sentence).toContain(`process ${calls[call]?.process}`);
    console.log(sentence);
  });
