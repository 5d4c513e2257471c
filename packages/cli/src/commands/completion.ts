import { verdictWords } from '@quorumlab/checker';
import { attacks, protocols } from '@quorumlab/harness';
import { lessons } from '@quorumlab/lessons';
import type { Command, Option } from 'commander';
import { usageError } from '../errors.ts';
import { withExamples } from '../help.ts';
import { listNames, namesIn } from './list.ts';

const scripts: Readonly<Record<string, string>> = {
  bash: `_quorumlab() {
  local words="$(quorumlab __complete "\${COMP_WORDS[@]:1:COMP_CWORD}")"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _quorumlab quorumlab`,
  zsh: `#compdef quorumlab
_quorumlab() { compadd -- $(quorumlab __complete "\${(@)words[2,CURRENT]}") }
compdef _quorumlab quorumlab`,
  fish: `set -l words '(commandline -opc)[2..] (commandline -ct)'
complete -c quorumlab -f -a "(quorumlab __complete $words)"`,
};

/** `quorumlab completion <shell>`, and the hidden command that shells ask. */
export function addCompletion(program: Command): void {
  withExamples(program.command('completion <shell>'), 'quorumlab completion bash > quorumlab.bash')
    .description('print the completion script of bash, zsh or fish')
    .action((shell: string) => {
      const script = scripts[shell];
      if (script === undefined)
        throw usageError(
          'QL101',
          `there is no completion for "${shell}"; there are bash, zsh and fish.`,
        );
      process.stdout.write(`${script}\n`);
    });
  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .action((words: readonly string[]) => {
      process.stdout.write(`${completions(program, words).join('\n')}\n`);
    });
}

/** What may stand at the last of `words`. */
function completions(program: Command, words: readonly string[]): readonly string[] {
  const before = words.slice(0, -1);
  let command = program;
  let depth = 0;
  for (const word of before) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    command = next;
    depth++;
  }
  const last = before.at(-1);
  if (last === '--attack') return [...attacks.map(({ name }) => name), 'all'];
  if (last === '--net') return namesIn('networks');
  if (last === '--reads') return namesIn('reads');
  if (last === '--workload') return namesIn('workloads');
  if (last === '--expect') return verdictWords;
  if (last === '--crypto') return ['ideal', 'ed25519'];
  if (last === '--color') return ['auto', 'always', 'never'];
  if (last === '--progress') return ['auto', 'bar', 'lines', 'off'];
  if (last === '--mutant') return namesIn('mutants');
  if (last === '--option') {
    const entry = protocols.find(({ name }) => before.includes(name));
    return Object.keys(entry?.options ?? {}).map((name) => `${name}=`);
  }
  if (command.name() === 'list') return listNames;
  if (command.name() === 'lesson' && before.length === depth)
    return lessons.map(({ number }) => `${number}`);
  if (['run', 'attack', 'compare'].includes(command.name()) && before.length === depth)
    return protocols.map(({ name }) => name);
  const names = command.commands
    .map((each) => each.name())
    .filter((name) => !name.startsWith('__'));
  const flags = command.options.map((option: Option) => option.long ?? option.short ?? '');
  return [...names, ...flags];
}
