/**
 * Modules of one's own: files that bring a protocol, attacks and workloads, for programs that run
 * scenarios. What they bring can be named by every scenario of the process. Needs Node.
 *
 * @packageDocumentation
 */
import { existsSync, realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Entry } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { type Attack, attacks as allAttacks, registerAttack } from './attacks.ts';
import { type ProtocolEntry, protocolEntry } from './protocol-entry.ts';
import { protocols, registerProtocol } from './protocols.ts';
import { requireNewName, ScenarioError } from './scenario.ts';
import { workloads as allWorkloads, type OwnWorkload, registerWorkload } from './workload.ts';

/** What a module has brought, by the names that scenarios know it by. */
export interface Brought {
  readonly protocol?: string;
  readonly attacks: readonly string[];
  readonly workloads: readonly string[];
}

const loaded = new Map<string, Promise<Brought>>();

/** The files of all modules that this process has loaded: what its threads and children need. */
export const loadedModules = (): readonly string[] => [...loaded.keys()];

/** What takes away again what modules have brought. */
const undo: (() => void)[] = [];

/**
 * Takes away what all modules have brought, as if none had been loaded: for programs that go on
 * with something else. Their code stays in the process; loaded again, they bring it again.
 */
export function unloadModules(): void {
  for (const each of undo.splice(0)) each();
  loaded.clear();
}

/**
 * Loads a module: what it exports as `entry`, `attack`, `attacks`, `workload` and `workloads` is
 * registered. A file is loaded once, however often it is named. Throws a ScenarioError (QL130, or
 * QL117 for a name that is taken) that says what is wrong with it.
 */
export async function loadModule(file: string): Promise<Brought> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new ScenarioError('QL130', `There is no file ${file}; check its name.`);
  const real = realpathSync(path);
  const known = loaded.get(real);
  if (known !== undefined) return known;
  const brought = brings(file, real);
  loaded.set(real, brought);
  try {
    return await brought;
  } catch (error) {
    loaded.delete(real);
    throw error;
  }
}

/** Names of the file, in a working directory, that names modules to load. */
const configNames = ['ts', 'mts', 'js', 'mjs'].map((ending) => `quorumlab.config.${ending}`);

/**
 * Loads the modules that the configuration in `folder` (a file called quorumlab.config with an
 * ending of TypeScript or JavaScript) names in the list that it exports as `use`; nothing if there
 * is no such file. Paths are relative to the folder.
 */
export async function loadConfigured(folder: string): Promise<void> {
  const name = configNames.find((each) => existsSync(join(folder, each)));
  if (name === undefined) return;
  const { use } = await exportsOf(name, join(folder, name));
  if (!Array.isArray(use) || !use.every((each) => typeof each === 'string'))
    throw new ScenarioError(
      'QL130',
      `${name} exports no list of modules; write e.g. export const use = ['./mine.ts'];`,
    );
  for (const each of use) await loadModule(resolve(folder, each));
}

async function brings(file: string, path: string): Promise<Brought> {
  const found = await exportsOf(file, path);
  const { entry } = found;
  const attacks = listIn<Attack>(found, 'attack', (each) => isAttack(each), file);
  const workloads = listIn<OwnWorkload>(found, 'workload', (each) => isWorkload(each), file);
  if (entry === undefined && attacks.length + workloads.length === 0) throw nothingIn(file, found);
  const protocol = entry === undefined ? undefined : protocolIn(entry, file);
  try {
    // Of a module that is refused nothing stays: names are looked at first.
    if (protocol !== undefined) requireNewName('protocol', protocol.name, namesOf(protocols));
    for (const { name } of attacks) requireNewName('attack', name, namesOf(allAttacks));
    for (const { name } of workloads) requireNewName('workload', name, namesOf(allWorkloads));
    if (protocol !== undefined) undo.push(registerProtocol(protocol));
    for (const attack of attacks) undo.push(registerAttack(attack));
    for (const workload of workloads) undo.push(registerWorkload(workload));
  } catch (error) {
    throw error instanceof ScenarioError
      ? new ScenarioError(error.code, `${file}: ${error.message}`)
      : error;
  }
  return {
    ...(protocol === undefined ? {} : { protocol: protocol.name }),
    attacks: attacks.map(({ name }) => name),
    workloads: workloads.map(({ name }) => name),
  };
}

const namesOf = (all: readonly { readonly name: string }[]): readonly string[] =>
  all.map(({ name }) => name);

type Exports = Readonly<Record<string, unknown>>;

async function exportsOf(file: string, path: string): Promise<Exports> {
  const { href } = pathToFileURL(path);
  theirs.add(href);
  shareOwnPackages();
  try {
    return (await import(/* @vite-ignore */ href)) as Exports;
  } catch (error) {
    throw new ScenarioError('QL130', `${file} cannot be loaded: ${sentenceOf(error)}`);
  }
}

/** The first line of what went wrong, as a sentence. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = ''] = text.trim().split('\n');
  return first === '' ? 'it throws.' : first.replace(/[.:]?$/, '.');
}

function nothingIn(file: string, found: Exports): ScenarioError {
  const names = Object.keys(found);
  const so = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  return new ScenarioError(
    'QL130',
    `${file} exports no entry, attack or workload: ${so}; write e.g. ` +
      "export const entry = { title: 'Mine.', right: mine };",
  );
}

const isObject = (value: unknown): value is Exports => typeof value === 'object' && value !== null;

const needs = ['byzantine', 'crash', 'network', 'nothing'];

/** A title and a name are there in all kinds of things that lists show. */
const isNamed = (value: unknown): value is Exports =>
  isObject(value) && typeof value.name === 'string' && typeof value.title === 'string';

const isMaker = (value: unknown): boolean => value === undefined || typeof value === 'function';

const isAttack = (value: unknown): boolean =>
  isNamed(value) &&
  needs.includes(String(value.needs)) &&
  isMaker(value.behaviour) &&
  isMaker(value.faults);

const isWorkload = (value: unknown): boolean => isNamed(value) && typeof value.make === 'function';

const shapes = {
  attack: `{ name, title, needs }, needs being ${needs.slice(0, -1).join(', ')} or nothing`,
  workload: '{ name, title, make(scenario, random) }',
} as const;

/** What is exported as `attack` and in `attacks`, for example. */
function listIn<T>(
  found: Exports,
  kind: keyof typeof shapes,
  isOne: (value: unknown) => boolean,
  file: string,
): readonly T[] {
  const { [kind]: one, [`${kind}s`]: several = [] } = found;
  const all: readonly unknown[] = [
    ...(one === undefined ? [] : [one]),
    ...(Array.isArray(several) ? several : [several]),
  ];
  if (!all.every((each) => isOne(each)))
    throw new ScenarioError(
      'QL130',
      `${file}: what it exports as ${kind} is none; write it as ${shapes[kind]}.`,
    );
  // Each has been looked at.
  return all as readonly T[];
}

function protocolIn(entry: unknown, file: string): ProtocolEntry {
  const made = isObject(entry) && typeof entry.create === 'function';
  if (!isObject(entry) || !(made || typeof entry.right === 'function'))
    throw new ScenarioError(
      'QL130',
      `${file}: its entry is no protocol; write it as { title, right }, right making the ` +
        'protocol of { n, f }.',
    );
  const protocol = triedOut(entry, file);
  const { name, claims } = protocol;
  if (typeof name === 'string' && typeof claims?.replicas === 'function') return protocol;
  throw new ScenarioError(
    'QL130',
    `${file}: what its entry makes is no protocol: it has no name or no claims.`,
  );
}

/** The entry as scenarios have it, and it does make a protocol. */
function triedOut(entry: Exports, file: string): ProtocolEntry {
  try {
    // What it lacks shows when the protocol is made.
    if (typeof entry.create !== 'function')
      return protocolEntry(entry as unknown as Entry<LogShape>);
    const protocol = entry as unknown as ProtocolEntry;
    // Whether it has claims at all is looked at by whoever asked.
    protocol.create({ n: protocol.claims?.replicas?.(1) ?? 4, f: 1 });
    return protocol;
  } catch (error) {
    throw new ScenarioError(
      'QL130',
      `${file}: its protocol cannot be made for one fault: ${sentenceOf(error)}`,
    );
  }
}

/** URLs of modules that were loaded here, and of the files beside them that these import. */
const theirs = new Set<string>();
let isShared = false;

/**
 * Modules get the packages of this very program, wherever their files lie: a run is that of the
 * version which a trace names, and nobody has to install anything to write a protocol.
 */
function shareOwnPackages(): void {
  if (isShared) return;
  isShared = true;
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (parentURL === undefined || !theirs.has(parentURL)) return next(specifier, context);
      if (specifier.startsWith('@quorumlab/'))
        try {
          return next(specifier, { ...context, parentURL: import.meta.url });
        } catch {
          // A package that this one does not need itself: the module's own, if it has it.
        }
      const found = next(specifier, context);
      if (/^\.{0,2}\/|^file:/.test(specifier)) theirs.add(found.url);
      return found;
    },
  });
}
