/** Nothing on a command line is passed over in silence: no second value, no empty one. */
import type { Command, Option } from 'commander';
import { usageError } from './errors.ts';

/** Makes `command` refuse values of its options that could only be slips. */
export function strictly(command: Command): void {
  for (const option of command.options) {
    if (!option.required) continue;
    const given: string[] = [];
    command.on(`option:${option.name()}`, (value: string) => {
      requireValue(command, option, value);
      const isAgain = given.includes(value);
      given.push(value);
      if (isAgain || (given.length > 1 && option.parseArg === undefined))
        throw usageError(
          'QL100',
          `${nameOf(option)} is given twice, as ${given.join(' and ')}; give it once.`,
        );
    });
  }
}

function requireValue(command: Command, option: Option, value: string): void {
  const name = nameOf(option);
  if (value.trim() === '')
    throw usageError(
      'QL100',
      `${name} is empty; give it a value (${option.flags}) or leave it out.`,
    );
  for (let each: Command | null = command; each !== null; each = each.parent)
    if (each.options.some(({ long, short }) => value === long || value === short))
      throw usageError(
        'QL100',
        `${name} takes a value (${option.flags}), and ${value} is another flag.`,
      );
}

/** A flag as people write it. */
const nameOf = ({ long, short }: Option): string => long ?? short ?? '';

/** Refuses arguments without a character in them: an unset variable of a script, for example. */
export function refuseEmptyArguments(command: Command): void {
  // The words of a completion are as far as somebody has typed.
  if (command.name().startsWith('_')) return;
  const at = command.args.findIndex((each) => each.trim() === '');
  if (at >= 0)
    throw usageError('QL100', `argument ${at + 1} of ${command.name()} is empty; give it a value.`);
}
