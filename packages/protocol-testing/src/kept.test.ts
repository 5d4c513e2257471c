/** A text is kept until whoever runs the test asks for another. */
import { expect, test } from 'vitest';
import { keeper } from './kept.ts';

function shelf(texts: Record<string, string>) {
  return {
    readFileSync: (place: string) => texts[place] ?? '',
    writeFileSync: (place: string, text: string) => void (texts[place] = text),
  };
}

test('what differs from the text on file is told, and nothing is written', () => {
  const texts = { 'well.txt': 'one\ntwo\n' };
  const keep = keeper(shelf(texts), (name) => `${name}.txt`, {});
  expect(keep('well', (sheet) => sheet.write('one', 'two'))).toBe('one\ntwo\n');
  expect(() => keep('well', (sheet) => sheet.write('one', 'three'))).toThrow('- two\n+ three');
  expect(() => keep('well', (sheet) => sheet.write('one'))).toThrow('goes on: two');
  expect(texts).toEqual({ 'well.txt': 'one\ntwo\n' });
});

test('UPDATE_RUNS=1 writes it anew', () => {
  const texts = { 'well.txt': 'one\ntwo\n' };
  const keep = keeper(shelf(texts), (name) => `${name}.txt`, { UPDATE_RUNS: '1' });
  expect(keep('well', (sheet) => sheet.write('three'))).toBe('three\n');
  expect(texts).toEqual({ 'well.txt': 'three\n' });
});
