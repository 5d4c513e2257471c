import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('../style.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = [...css.matchAll(/\.quorumlab \{([^}]*)\}/g)].map(([, it]) => it);

const colours = (block: string): ReadonlyMap<string, string> =>
  new Map([...block.matchAll(/--(\w+): (#[\da-f]{6});/g)].map(([, name, hex]) => [name!, hex!]));

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, two: string): number {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

test('contrast is measured as the standard says', () => {
  expect(contrast('#000000', '#ffffff')).toBe(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

describe.each([
  ['light', light],
  ['dark', dark],
])('the %s palette', (_name, block) => {
  const palette = colours(block);
  const grounds = ['paper', 'panel'].map((name) => palette.get(name) as string);

  test.each(['ink', 'quiet', 'ok', 'warn', 'bad', 'value', 'vote', 'chosen'])(
    '%s is text that can be read: 4.5 to 1',
    (name) => {
      for (const ground of grounds)
        expect(contrast(palette.get(name) as string, ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  test('lines can be seen: 3 to 1', () => {
    for (const ground of grounds)
      expect(contrast(palette.get('line') as string, ground)).toBeGreaterThanOrEqual(3);
  });

  test('every colour of it is a variable: no other stands in the rules', () => {
    const rules = css.replaceAll(/\.quorumlab \{[^}]*\}/g, '');
    expect(rules.match(/#[\da-f]{3,8}\b|\brgba?\(|\bhsl/g)).toBeNull();
  });
});

test('what colour says is said by a stroke, a shape or a pattern too', () => {
  for (const rule of ['.arrow.lie .stroke', '.arrow.client .stroke'])
    expect(css).toMatch(RegExp(`${rule.replaceAll('.', '\\.')} \\{[^}]*stroke-dasharray`));
  expect(css).toMatch(/\.mark\.commit\.conflicts path \{[^}]*url\(#hatch\)/);
  expect(css).toMatch(/\.log td\.conflicts \{[^}]*repeating-linear-gradient/);
  expect(css).toMatch(/\.lane\.liar rect \{[^}]*stroke-width: 3/);
});
