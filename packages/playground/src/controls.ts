/** What can be chosen, each with its word of the command line. */
import { attacks, protocolOf, protocols, workloads } from '@quorumlab/harness';
import {
  clocks,
  comparedAt,
  most,
  networks,
  readsPromises,
  readsWords,
  type Settings,
} from '@quorumlab/harness/link';
import { Fragment, h, type JSX, type TargetedEvent } from 'preact';
import type { State } from './state.ts';

/** The form above the runs: each change runs both again. */
export function Controls({ state }: { readonly state: State }): JSX.Element {
  const settings = state.place.value.settings;
  const change = (some: Partial<Settings>): void => state.run({ ...settings, ...some });
  return h(
    'form',
    { class: 'controls', onSubmit: (event: Event) => event.preventDefault() },
    h(ProtocolChoice, { settings, side: 0, change }),
    h(ProtocolChoice, { settings, side: 1, change }),
    h(Choice, {
      ...{ title: 'Compare at', value: settings.same, words: ['f', 'n'] },
      names: { f: 'the same f', n: 'the same n' },
      onPick: (same) => change({ same: same === 'n' ? 'n' : 'f' }),
    }),
    settings.same === 'f'
      ? h(Count, {
          title: 'f',
          value: settings.f,
          least: 0,
          most: most.f,
          onPick: (f) => change({ f }),
        })
      : h(Count, {
          title: 'n',
          value: settings.n,
          least: 1,
          most: most.n,
          onPick: (n) => change({ n }),
        }),
    h(Choice, {
      ...{ title: 'Attack', value: settings.attack, words: attacks.map(({ name }) => name) },
      onPick: (attack) => change({ attack }),
    }),
    h(Choice, {
      ...{ title: 'Network', value: settings.network, words: networks },
      onPick: (network) => change({ network }),
    }),
    h(Choice, {
      ...{ title: 'Clocks', value: settings.clocks, words: clocks },
      onPick: (value) => change({ clocks: value }),
    }),
    h(ReadsChoice, { settings, change }),
    h(Load, { settings, change }),
    h(Choice, {
      ...{ title: 'Signatures', value: settings.crypto, words: ['ideal', 'ed25519'] },
      onPick: (crypto) => change({ crypto: crypto === 'ed25519' ? 'ed25519' : 'ideal' }),
    }),
    h(
      'label',
      null,
      'Seed ',
      h('input', {
        value: settings.seed,
        maxLength: 100,
        onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) =>
          change({ seed: currentTarget.value || '42' }),
      }),
    ),
    h('p', { class: 'quiet' }, wordsOn(settings)),
  );
}

/** What clients ask for: how many operations of which kind, who asks, and how much at once. */
function Load({
  settings: { workload, count, clients, outstanding },
  change,
}: {
  readonly settings: Settings;
  readonly change: Change;
}): JSX.Element {
  const number = (title: string, of: 'count' | 'clients' | 'outstanding', value: number) =>
    h(Count, {
      ...{ title, value, least: 1, most: most[of] },
      onPick: (picked) => change({ [of]: picked }),
    });
  return h(
    Fragment,
    null,
    h(Choice, {
      ...{ title: 'Workload', value: workload, words: presets },
      onPick: (name) => change({ workload: name }),
    }),
    number('Operations', 'count', count),
    number('Clients', 'clients', clients),
    number('Each at once', 'outstanding', outstanding),
  );
}

function ReadsChoice({
  settings,
  change,
}: {
  readonly settings: Settings;
  readonly change: Change;
}): JSX.Element {
  return h(Choice, {
    ...{ title: 'Reads', value: settings.reads, words: readsWords },
    onPick: (word) => change(readsChange(settings, word)),
  });
}

/** Other reads; and where nobody reads, a workload in which somebody does. */
function readsChange({ workload, reads }: Settings, word: string): Partial<Settings> {
  const isSilent = workload === 'contest' || workload === 'writes';
  return {
    reads: readsWords.find((each) => each === word) ?? reads,
    ...(isSilent ? { workload: 'b' } : {}),
  };
}

/** All workloads but that of a file: a page reads none. */
const presets = workloads.map(({ name }) => name).filter((name) => name !== 'file');

/** What was chosen, in sentences; what reads promise only where that was chosen. */
function wordsOn(settings: Settings): string {
  const { attack, reads } = settings;
  const promise = reads === 'quorum' ? '' : ` Reads: ${readsPromises[reads]}.`;
  return `Both ${comparedAt(settings)}. ${titleOfAttack(attack)}${promise}`;
}

/** What an attack does; nothing of a name that nobody has, which a run will say. */
const titleOfAttack = (name: string): string =>
  attacks.find((each) => each.name === name)?.title ?? '';

type Change = (some: Partial<Settings>) => void;

function ProtocolChoice({
  settings: { protocols: names, mutants, options },
  side,
  change,
}: {
  readonly settings: Settings;
  readonly side: 0 | 1;
  readonly change: Change;
}): JSX.Element {
  const title = side === 0 ? 'Left' : 'Right';
  const name = names[side];
  const entry = protocols.find((each) => each.name === name);
  const put = <V>(pair: readonly [V, V], value: V): readonly [V, V] =>
    side === 0 ? [value, pair[1]] : [pair[0], value];
  const faults = Object.fromEntries(
    protocols.map(({ name: each }) => [each, `${each} (${protocolOf(each).claims.faults})`]),
  );
  return h(
    'span',
    { class: 'protocol' },
    h(Choice, {
      ...{ title, value: name, words: protocols.map((each) => each.name), names: faults },
      // What one protocol is told says nothing to another.
      onPick: (value) =>
        change({
          protocols: put(names, value),
          mutants: put(mutants, ''),
          options: put(options, []),
        }),
    }),
    entry !== undefined &&
      entry.mutants.length > 0 &&
      h(Choice, {
        ...{ title: 'Mutant', value: mutants[side], words: ['', ...entry.mutants] },
        names: { '': 'none: as in the paper' },
        onPick: (mutant) => change({ mutants: put(mutants, mutant) }),
      }),
    entry !== undefined &&
      Object.keys(entry.options).length > 0 &&
      h(Options, {
        ...{ entry, value: options[side] },
        onPick: (told) => change({ options: put(options, told) }),
      }),
  );
}

/** What a protocol is told besides, as `--option` takes it; what is wrong in it, its run says. */
function Options({
  entry,
  value,
  onPick,
}: {
  readonly entry: (typeof protocols)[number];
  readonly value: readonly string[];
  readonly onPick: (options: readonly string[]) => void;
}): JSX.Element {
  const names = Object.keys(entry.options);
  return h(
    'label',
    null,
    `Options of ${entry.name} `,
    h('input', {
      value: value.join(' '),
      maxLength: 1000,
      placeholder: 'name=value …',
      title: `of ${names.join(', ')}`,
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) =>
        onPick(currentTarget.value.split(/\s+/).filter((each) => each !== '')),
    }),
  );
}

function Choice({
  title,
  value,
  words,
  names = {},
  onPick,
}: {
  readonly title: string;
  readonly value: string;
  readonly words: readonly string[];
  readonly names?: Readonly<Record<string, string>>;
  readonly onPick: (word: string) => void;
}): JSX.Element {
  // What a link names beside these is kept, so that nothing else runs than is shown.
  const all = words.includes(value) ? words : [...words, value];
  return h(
    'label',
    null,
    `${title} `,
    h(
      'select',
      {
        value,
        onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) =>
          onPick(currentTarget.value),
      },
      all.map((word) =>
        h('option', { value: word, selected: word === value }, names[word] ?? word),
      ),
    ),
  );
}

function Count({
  title,
  value,
  least,
  most: greatest,
  onPick,
}: {
  readonly title: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly onPick: (value: number) => void;
}): JSX.Element {
  return h(
    'label',
    null,
    `${title} `,
    h('input', {
      ...{ type: 'number', value, min: least, max: greatest, step: 1 },
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => {
        const number = Math.round(Number(currentTarget.value));
        onPick(Math.max(least, Math.min(greatest, number || least)));
      },
    }),
  );
}
