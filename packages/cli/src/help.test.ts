import { protocols } from '@quorumlab/harness';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { said, wordsOf } from '../test-support/said.ts';
import { localised } from './invocation.ts';
import { makeProgram } from './program.ts';

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) if (!each.name().startsWith('_')) yield* everyCommand(each);
}

const nameOf = (command: Command): string =>
  [...(command.parent === null ? [] : [nameOf(command.parent)]), command.name()].join(' ');

/** What `--help` prints for a command. */
const helpOf = async (command: Command): Promise<string> =>
  (await said([...wordsOf(nameOf(command)).slice(1), '--help'])).out;

const leaves = [...everyCommand(makeProgram())].filter(({ commands }) => commands.length === 0);

test('flags with a value say what it is unless told, and commands have examples', async () => {
  expect(leaves.length).toBeGreaterThan(15);
  for (const command of leaves) {
    for (const { flags, description, required, defaultValue } of command.options) {
      const isToldBy = defaultValue !== undefined || /\((default|required)/.test(description);
      if (required) expect(isToldBy, `${nameOf(command)} ${flags}`).toBe(true);
    }
    const help = await helpOf(command);
    expect(help, nameOf(command)).toMatch(/^Examples?:$/m);
    for (const { flags } of command.options) expect(help, nameOf(command)).toContain(flags);
  }
});

test('every example of a help is a command line that is understood', async () => {
  for (const command of leaves) {
    const [, examples = ''] = (await helpOf(command)).split(/^Examples?:$/m);
    const lines = [...examples.matchAll(/^ {2}quorumlab (.*)$/gm)].map(
      ([, line]) => line as string,
    );
    expect(lines.length, nameOf(command)).toBeGreaterThan(0);
    for (const line of lines) {
      const program = makeProgram();
      for (const each of everyCommand(program))
        if (each.commands.length === 0) each.action(() => undefined);
      const words = wordsOf(line.replace(/ > .*$/, ''));
      await program.parseAsync(['node', 'quorumlab', ...words]);
    }
  }
});

test('helps and lists name every option of every protocol, and its usual value', async () => {
  const list = (await said('list options')).out;
  for (const line of ['run --help', 'attack --help']) {
    const help = (await said(line)).out;
    for (const { name, options, notes } of protocols)
      for (const option of Object.keys(options)) {
        const { usual, meaning } = notes[option] as (typeof notes)[string];
        const text = usual === undefined ? option : `${option}=${usual}`;
        expect(help).toContain(text);
        expect(list).toContain(`${name} ${text}`);
        expect(list).toContain(meaning);
      }
  }
  const { rows } = JSON.parse((await said('--json list options raft')).out);
  expect(rows).toHaveLength(
    Object.keys(protocols.find(({ name }) => name === 'raft')?.options ?? {}).length,
  );
});

test('every command is offered in the words that work where the reader is', () => {
  const here = 'npx quorumlab';
  for (const command of makeProgram().commands) {
    if (command.name().startsWith('_')) continue;
    const line = `see: quorumlab ${command.name()} x`;
    expect(localised(line, here)).toBe(`see: npx quorumlab ${command.name()} x`);
  }
  expect(localised('a bug of quorumlab; report it', here)).toBe('a bug of quorumlab; report it');
  expect(localised('.quorumlab/cluster is there', here)).toBe('.quorumlab/cluster is there');
});
