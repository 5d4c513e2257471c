import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Arguments, type Group, openGroup } from './group.ts';

const folder = new URL('./', import.meta.url);
const rewrite = process.env.UPDATE_TRANSCRIPTS === '1';

function argumentsOf(line: string): Arguments & { readonly verb: string } {
  const [verb = '', ...rest] = line.match(/[^\s(]*\([^)]*\)|\S+/g) ?? [];
  const named = rest.filter((each) => each.includes('=')).map((each) => each.split('='));
  return {
    verb,
    words: rest.filter((each) => !each.includes('=')),
    named: new Map(named.map(([name = '', value = '']) => [name, value])),
  };
}

/** The transcript with the output that its commands have now. */
function replay(text: string): string {
  let group: Group | undefined;
  return text
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const lines = block.split('\n');
      const comments = lines.filter((line) => line.startsWith('#'));
      const end = lines.includes('----') ? lines.indexOf('----') : lines.length;
      const commands = lines.slice(0, end).filter((line) => line !== '' && !line.startsWith('#'));
      if (commands.length === 0) return comments.join('\n');
      const output = commands.flatMap((command) => {
        const { verb, ...given } = argumentsOf(command);
        if (verb !== 'group') {
          if (group === undefined) throw new Error('a transcript begins with group');
          return group.run(verb, given);
        }
        group = openGroup(given);
        return [];
      });
      return [...comments, ...commands, '----', ...output].join('\n');
    })
    .join('\n\n')
    .concat('\n');
}

for (const name of readdirSync(folder).filter((each) => each.endsWith('.txt')))
  test(name, () => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const now = replay(text);
    if (rewrite) writeFileSync(new URL(name, folder), now);
    else expect(now, 'after a wanted change run with UPDATE_TRANSCRIPTS=1').toBe(text);
  });
