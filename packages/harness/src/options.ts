/** A protocol's own options: which there are, what they take, how people write them. */
import type { OptionKind, OptionValues } from '@quorumlab/core';
import { microseconds, ScenarioError, unknownName } from './scenario.ts';

/** Rule sets of one protocol, all of which are attacked unless one is chosen. */
export interface Variants {
  /** The option that chooses one. */
  readonly option: string;
  /** Its values; the first is what runs unless told. */
  readonly values: readonly string[];
}

/** What has options: a {@link ProtocolEntry}. */
interface Configurable {
  readonly name: string;
  readonly options: Readonly<Record<string, OptionKind>>;
}

/** The variants that the words of `option` are. */
export function variantsIn(
  name: string,
  option: string | undefined,
  known: Readonly<Record<string, OptionKind>>,
): { readonly variants?: Variants } {
  if (option === undefined) return {};
  const values = known[option];
  if (!Array.isArray(values))
    throw new ScenarioError(
      'QL114',
      `the variants of ${name} are the values of its option ${option}, which names no words.`,
    );
  return { variants: { option, values } };
}

/** Throws a ScenarioError that teaches if an option is unknown or has a value it cannot have. */
export function requireOptions(
  name: string,
  known: Readonly<Record<string, OptionKind>>,
  options: OptionValues,
): void {
  for (const [option, value] of Object.entries(options)) {
    const kind = Object.hasOwn(known, option) ? known[option] : undefined;
    if (kind === undefined) throw unknownName(`option of ${name}`, option, Object.keys(known));
    if (typeof kind === 'object') {
      if (!kind.includes(String(value)))
        throw unknownName(`value of ${name}'s option ${option}`, String(value), kind);
    } else if (typeof value !== { number: 'number', boolean: 'boolean', text: 'string' }[kind])
      throw new ScenarioError(
        'QL114',
        `${name}'s option ${option} ${wants[kind]}, not "${value}".`,
      );
  }
}

const wants = {
  number: 'takes a whole number or a time, e.g. 20 or 300ms',
  boolean: 'is true or false',
  text: 'takes a text',
} as const;

/**
 * An option as people write it, `heartbeat=20ms` or `rules=chained`, as the protocol takes it.
 * Throws a ScenarioError that teaches if it is none.
 */
export function readOption(entry: Configurable, text: string): OptionValues {
  const at = text.indexOf('=');
  if (at < 1) throw new ScenarioError('QL114', `"${text}" sets no option; write e.g. name=value.`);
  const name = text.slice(0, at);
  const value = text.slice(at + 1);
  const kind = Object.hasOwn(entry.options, name) ? entry.options[name] : undefined;
  const option = { [name]: kind === undefined ? value : readValue(kind, value) };
  requireOptions(entry.name, entry.options, option);
  return option;
}

function readValue(kind: OptionKind, text: string): OptionValues[string] {
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind !== 'number') return text;
  if (/^\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  return /^\d+(\.\d+)?(us|ms|s|m)$/.test(text) ? microseconds(text) : text;
}
