/** A kept text is compared line by line, and whole. */
import { expect, test } from 'vitest';
import { Sheet } from './sheet.ts';

test('the first line that differs is told, with those before it', () => {
  const sheet = new Sheet('one\ntwo\nthree\n');
  sheet.write('one', 'two');
  expect(() => sheet.write('four')).toThrow(
    'line 3 is not the one that is kept:\n  one\n  two\n- three\n+ four',
  );
});

test('a text that ends too early, or goes on, is not the one that is kept', () => {
  const early = new Sheet('one\ntwo\n');
  early.write('one');
  expect(() => early.text).toThrow('the kept text goes on: two');
  early.write('two');
  expect(early.text).toBe('one\ntwo\n');
  expect(() => early.write('three')).toThrow('- \n+ three');
});

test('without a kept text all is written', () => {
  const sheet = new Sheet();
  sheet.write('one\ntwo', 'three');
  expect(sheet.text).toBe('one\ntwo\nthree\n');
});
