import { describe, expect, it } from 'vitest';
import { layersOf } from './lexer.ts';
import { functionsOf } from './tidy.ts';

const code = (source: string): string => layersOf(source).code.replace(/ +/g, ' ').trim();

describe('layersOf', () => {
  it.each([
    ['a(); // Date', 'a();'],
    ['a(/* Date */ 1);', 'a( 1);'],
    ['a(\'// Date\', "Date");', 'a(\' \', " ");'],
    ["a('it\\'s Date');", "a(' ');"],
    ['a(`Date ${b(`Date ${c}`)} Date`);', 'a(` b(` c `) `);'],
    ['a(`${{ b: 1 }}`, d);', 'a(` { b: 1 } `, d);'],
    ["x = y / 2; // ' \nz = /['\"/]Date/.test(w)", 'x = y / 2; \nz = .test(w)'],
    ["return /'/; b", 'return ; b'],
  ])('keeps only the code of %j', (source, expected) => {
    expect(code(source)).toBe(expected);
  });

  it('keeps every offset', () => {
    const source = "/** Why. */\nconst a = 'b'; // c\n`d${e}f`\n";
    const { code, comments } = layersOf(source);
    expect(code).toHaveLength(source.length);
    expect(comments).toHaveLength(source.length);
    expect(comments.replace(/ +/g, ' ')).toBe('/** Why. */\n // c\n \n');
  });
});

describe('functionsOf', () => {
  const body = '{\n  a();\n}';
  it.each([
    ['a declaration', `function f(a: number): void ${body}`],
    ['a generic one', `export async function f<T extends (x: number) => T>(a: T) ${body}`],
    ['one that returns an object type', `function f(): { a: number } | undefined ${body}`],
    ['one that returns a function', `function f(): () => void ${body}`],
    ['one with an object pattern', `function f({ a, b }: { a: number; b: number }): X<Y> ${body}`],
    ['an arrow', `const f = (a: number): Map<string, number> => ${body};`],
    ['a method', `  handle(a: number): void ${body}`],
    ['an accessor', `  get size(): number ${body}`],
    ['a generator', `  *walk(): Iterable<number> ${body}`],
  ])('sees %s', (_name, source) => {
    expect(functionsOf(layersOf(source).code)).toEqual([{ line: 1, lines: 3 }]);
  });

  const inner = 'a();\n'.repeat(9);
  it.each([
    ['a table of handlers', `function f() {\n  return {\n    a() {\n${inner}},\n  };\n}`, [4, 11]],
    ['a closure', `function f() {\n  const g = () => {\n\n${inner}};\n  g();\n}`, [4, 12]],
    ['a function in one in one', `f() {\ng() {\nh() {\n${inner}}\nb();\n}\nb();\n}`, [3, 3, 11]],
    ['two in one', `f() {\n  g() {\n${inner}}\n  h() {\n${inner}}\n}`, [2, 11, 11]],
    ['words behind it', `function f() {\n  wait(() => {\n${inner}}, later);\n}`, [4, 11]],
    ['calls with callbacks', `f() {\n${'  g(() => { a(); });\n'.repeat(2)}}`, [4, 1, 1]],
    ['callbacks without a block', `f() {\n${'  g(() => a());\n'.repeat(9)}}`, [11]],
    ['blank lines of its own', `f() {\n\n\n\n  g() {\n${inner}}\n}`, [5, 11]],
  ])('counts only the own lines of a function with %s', (_name, source, expected) => {
    expect(functionsOf(layersOf(source).code).map(({ lines }) => lines)).toEqual(expected);
  });

  it.each([
    ['a condition', `if (a) ${body}`],
    ['a call', `a(b);\n${body}`],
    ['a choice', 'const x = a ? f(b) : { c: 1,\n d: 2 };'],
    ['a describe', `describe('a', () => ${body});`],
    ['a describe of each', `describe.each([1])('a %i', (a) => ${body});`],
    ['a type', `type F = (a: number) => void;\ninterface G ${body}`],
  ])('does not take %s for a function', (_name, source) => {
    expect(functionsOf(layersOf(source).code)).toEqual([]);
  });
});
