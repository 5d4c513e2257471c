import { range } from '@quorumlab/core';
import type { LostCopy } from '@quorumlab/sim';
import { attackOf } from './attacks.ts';
import { completeScenario } from './defaults.ts';
import { emptyRequest } from './describe.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { protocolOf } from './protocols.ts';
import { reduce } from './reduce.ts';
import { type RunResult, runScenario } from './run.ts';
import { type Scenario, ScenarioError, type ScenarioFault, type Script } from './scenario.ts';

/** How much may be tried. */
export interface ShrinkOptions {
  /** Runs at most; 400 unless told. */
  readonly tries?: number;
  /** Events of all these runs together at most; 5,000,000 unless told. */
  readonly events?: number;
  /** A protocol that is not registered. */
  readonly entry?: ProtocolEntry;
  /** Told of the smallest run whenever a pass has found a smaller one. */
  readonly update?: (found: Omit<Shrunk, 'result'>) => void;
  /** Told after every run that was tried: what has been spent, and the smallest run so far. */
  readonly tried?: (spent: ShrinkProgress) => void;
}

/** How far shrinking has come. */
export interface ShrinkProgress {
  readonly tries: number;
  /** Of all runs that were tried, together. */
  readonly events: number;
  /** Events of the run that was given, and of the smallest one so far. */
  readonly before: number;
  readonly after: number;
}

/** What was made smaller. */
export type Shrinkable = 'choices' | 'faults' | 'time' | 'messages' | 'nodes' | 'requests';

/** One pass over one sort of thing. */
export interface ShrinkStep {
  readonly what: Shrinkable;
  /** How many there were: unkind choices, faults, microseconds, copies, nodes or requests. */
  readonly before: number;
  readonly after: number;
  readonly tries: number;
}

/** A smaller run with the same failure. */
export interface Shrunk {
  /** Runs to the same violation wherever it is run: it has a {@link Script}. */
  readonly scenario: Scenario;
  readonly result: RunResult;
  /** Events of the run that was given, and of the small one. */
  readonly before: number;
  readonly after: number;
  readonly steps: readonly ShrinkStep[];
  readonly tries: number;
}

/**
 * Makes a run that violates something smaller while the same thing goes wrong: the same word, the
 * same rule, and as much expected as before. Its recorded choices are made kind, faults are left
 * out, time is shortened, messages are lost, nodes and requests are taken away. The same scenario
 * gives the same small one. Nothing if the run violates nothing.
 *
 * A run that is judged for liveness keeps its messages: without them nothing would be owed.
 */
export function shrink(scenario: Scenario, options: ShrinkOptions = {}): Shrunk | undefined {
  const { entry, update } = options;
  const given = runScenario(scenario, { lines: false, record: true, ...(entry ? { entry } : {}) });
  if (given.violation === undefined) return undefined;
  const hunt = hunter(given, options);
  const steps: ShrinkStep[] = [];
  const pass = (what: Shrinkable, shorten: (hunt: Hunt) => void): void => {
    const { tries } = hunt;
    const before = sizes[what](hunt);
    // One long pass must not leave nothing for those behind it.
    hunt.share();
    shorten(hunt);
    if (hunt.tries > tries)
      steps.push({ what, before, after: sizes[what](hunt), tries: hunt.tries - tries });
    const { scenario: smallest, events: after } = hunt.result;
    if (after < given.events)
      update?.({
        scenario: smallest,
        before: given.events,
        after,
        steps: [...steps],
        tries: hunt.tries,
      });
  };
  const isSafety = given.violation.rule !== 'liveness';
  pass('choices', kindest);
  pass('faults', fewerFaults);
  pass('time', lessTime);
  if (isSafety) pass('messages', fewerLinks);
  pass('nodes', fewerNodes);
  pass('requests', fewerRequests);
  pass('faults', fewerFaults);
  if (isSafety) pass('messages', fewerMessages);
  pass('choices', kinder);
  const { result, tries } = hunt;
  return {
    scenario: result.scenario,
    result,
    before: given.events,
    after: result.events,
    steps,
    tries,
  };
}

/** The smallest failing run so far. */
interface Hunt {
  readonly result: RunResult;
  readonly scenario: Scenario;
  readonly script: Script;
  readonly tries: number;
  /** From here on at most half of what is left of the budget may be spent, until the next share. */
  share(): void;
  /** Copies that arrive somewhere, in the order in which they are sent. */
  arrived(): readonly Copy[];
  /** Runs a candidate; if the same thing goes wrong within `most` events it is the smallest now. */
  attempt(candidate: Scenario, most?: number): boolean;
  /** Tries a change with the script as it is, with the kindest one, and with the seed's choices. */
  change(change: Partial<Scenario>): boolean;
}

/** A copy of a message on its link. */
type Copy = readonly [from: number, to: number, nth: number];

const kindestScript: Script = { choices: [], lost: [] };

const isKindest = ({ choices, lost }: Script): boolean => choices.length + lost.length === 0;

/**
 * What a failure is known by. A liar without a second true request makes an empty one up: that is
 * another story, and a worse one.
 */
const signature = ({ word, violation, expected }: RunResult): string =>
  `${word} ${violation?.rule} ${expected} ${violation?.sentence.includes(emptyRequest)}`;

function hunter(given: RunResult, options: ShrinkOptions): Hunt {
  const { tries: most = 400, events: mostEvents = 5_000_000, entry } = options;
  const wanted = signature(given);
  const more = { lines: false, ...(entry ? { entry } : {}) };
  let tries = 0;
  let events = 0;
  let triesNow = most;
  let eventsNow = mostEvents;
  let best = given;
  const tell = (): void =>
    options.tried?.({ tries, events, before: given.events, after: best.events });
  const run = (candidate: Scenario): RunResult | undefined => {
    if (tries >= triesNow || events >= eventsNow) return undefined;
    tries++;
    try {
      const result = runScenario(candidate, { ...more, record: true });
      events += result.events;
      tell();
      return signature(result) === wanted && result.violation !== undefined ? result : undefined;
    } catch (error) {
      // A group that is too small for the attack, for example: not a smaller run.
      if (error instanceof ScenarioError) return undefined;
      throw error;
    }
  };
  const attempt = (candidate: Scenario, mostOfIt = Number.MAX_SAFE_INTEGER): boolean => {
    const result = run(candidate);
    if (result === undefined || result.events > mostOfIt) return false;
    best = result;
    return true;
  };
  /** The choices of a run drawn by its seed, as a script. */
  const scripted = ({ scenario, decisions = [] }: RunResult): Scenario => ({
    ...scenario,
    script: { choices: decisions, lost: [] },
  });
  attempt(given.scenario.script === undefined ? scripted(given) : given.scenario);
  const scriptOf = ({ scenario: { script = kindestScript } }: RunResult): Script => script;
  return {
    get result() {
      return best;
    },
    get scenario() {
      return best.scenario;
    },
    get script() {
      return scriptOf(best);
    },
    get tries() {
      return tries;
    },
    share() {
      triesNow = tries + Math.ceil((most - tries) / 2);
      eventsNow = events + Math.ceil((mostEvents - events) / 2);
    },
    attempt,
    change(change) {
      const candidate = { ...best.scenario, ...change };
      if (attempt(candidate)) return true;
      if (!isKindest(scriptOf(best)) && attempt({ ...candidate, script: kindestScript }))
        return true;
      const { script: _, ...drawn } = candidate;
      const result = run(drawn);
      return result !== undefined && attempt(scripted(result));
    },
    arrived: () => arrivedIn(best.scenario, entry),
  };
}

function arrivedIn(scenario: Scenario, entry: ProtocolEntry | undefined): readonly Copy[] {
  const carried = new Map<string, number>();
  const sent = new Map<number, Copy>();
  const arrived = new Map<number, Copy>();
  const line = (text: string): void => {
    if (!/"k":"(send|deliver)"/.test(text)) return;
    // The simulator has just written this line.
    const event = JSON.parse(text) as { i: number; n: number; k: string; c?: number; d?: unknown };
    if (event.k === 'send') {
      const { to } = event.d as { readonly to: number };
      const link = `${event.n} ${to}`;
      const nth = carried.get(link) ?? 0;
      if (event.n === to) return;
      carried.set(link, nth + 1);
      sent.set(event.i, [event.n, to, nth]);
    } else {
      const copy = sent.get(event.c ?? -1);
      if (copy !== undefined) arrived.set(event.c as number, copy);
    }
  };
  runScenario(scenario, { lines: false, trace: { line }, ...(entry ? { entry } : {}) });
  return [...arrived].sort(([one], [two]) => one - two).map(([, copy]) => copy);
}

const isNotKindest = (choice: number): boolean => choice !== 0;

const sizes: Readonly<Record<Shrinkable, (hunt: Hunt) => number>> = {
  choices: ({ script }) => script.choices.filter(isNotKindest).length,
  faults: ({ scenario }) => scenario.faults.length,
  time: ({ result }) => result.now,
  messages: (hunt) => hunt.arrived().length,
  nodes: ({ scenario }) => scenario.n,
  requests: ({ scenario }) => scenario.count,
};

/** All at once: most attacks need no luck. */
const kindest = (hunt: Hunt): void =>
  void hunt.attempt({ ...hunt.scenario, script: kindestScript });

function fewerFaults(hunt: Hunt): void {
  const { faults, network, clocks, by, attack } = hunt.scenario;
  reduce(faults, (kept) => hunt.attempt({ ...hunt.scenario, faults: kept }));
  if (network !== 'lan') hunt.change({ network: 'lan' });
  if (clocks !== 'perfect') hunt.change({ clocks: 'perfect' });
  if (by.length > 1 && attackOf(attack).beyond !== true)
    reduce(by, (kept) => kept.length > 0 && hunt.change({ by: kept }));
}

function lessTime(hunt: Hunt): void {
  const halved = (at: number): number => Math.max(1, Math.floor(at / 2));
  // Attacks take their times from `until`, too.
  while (
    hunt.scenario.until > 1000 &&
    hunt.attempt({ ...hunt.scenario, until: halved(hunt.scenario.until) })
  );
  const soonest = (): number => Math.max(0, ...hunt.scenario.faults.map(({ at }) => at));
  const sooner = (fault: ScenarioFault): ScenarioFault => ({ ...fault, at: halved(fault.at) });
  while (soonest() > 1000 && hunt.change({ faults: hunt.scenario.faults.map(sooner) }));
}

/** Whole directions of links, each alone. */
function fewerLinks(hunt: Hunt): void {
  const links = new Map(hunt.arrived().map(([from, to]) => [`${from} ${to}`, [from, to] as const]));
  for (const link of links.values()) takeAway(hunt, [link]);
}

/** Messages one by one, in ever smaller groups, for as long as that gets anywhere. */
function fewerMessages(hunt: Hunt): void {
  fewerLinks(hunt);
  let before: number;
  do {
    before = hunt.result.events;
    const arrived = hunt.arrived();
    reduce(arrived, (kept) => {
      const still = new Set(kept);
      return takeAway(
        hunt,
        arrived.filter((copy) => !still.has(copy)),
      );
    });
  } while (hunt.result.events < before);
  // What never came to be sent need not be lost.
  const { script, scenario, result } = hunt;
  reduce(script.lost, (lost) =>
    hunt.attempt({ ...scenario, script: { ...script, lost } }, result.events),
  );
}

/** Loses more copies, if that makes the run shorter and it still fails. */
function takeAway(hunt: Hunt, copies: readonly LostCopy[]): boolean {
  const { script, scenario, result } = hunt;
  const names = new Set(script.lost.map(String));
  const lost = [...script.lost, ...copies.filter((copy) => !names.has(String(copy)))];
  return hunt.attempt({ ...scenario, script: { ...script, lost } }, result.events - 1);
}

function fewerNodes(hunt: Hunt): void {
  const { n, f, unsafe, protocol } = hunt.scenario;
  if (unsafe) return;
  const { claims } = protocolOf(protocol);
  const smaller = range(Math.max(0, f - 1)).map((i) => ({ n: claims.replicas(i + 1), f: i + 1 }));
  const same = range(Math.max(0, n - claims.replicas(f))).map((i) => ({
    n: claims.replicas(f) + i,
    f,
  }));
  for (const size of [...smaller, ...same])
    if (size.n < hunt.scenario.n && hunt.change(among(hunt.scenario, size))) return;
}

/** The scenario among fewer nodes: what strikes nodes that are gone strikes the last one left. */
function among(
  { protocol, attack, by, faults }: Scenario,
  { n, f }: { readonly n: number; readonly f: number },
): Partial<Scenario> {
  const here = (nodes: readonly number[]): number[] => nodes.filter((id) => id < n);
  const traitors =
    attackOf(attack).beyond === true
      ? completeScenario({ protocol, n, f, attack }).by
      : [...new Set(by.map((id) => Math.min(id, n - 1)))];
  return {
    n,
    f,
    by: traitors,
    faults: faults.flatMap((fault): ScenarioFault[] => {
      if (fault.type === 'split') return [{ ...fault, groups: fault.groups.map(here) }];
      if (fault.type === 'cut') return [{ ...fault, from: here(fault.from), to: here(fault.to) }];
      return 'node' in fault && fault.node !== 'leader' && fault.node >= n ? [] : [fault];
    }),
  };
}

function fewerRequests(hunt: Hunt): void {
  const { clients, outstanding, count, workload } = hunt.scenario;
  if (workload === 'file') {
    // No file has the lines that are left.
    const { commandsFrom: _, ...scenario } = hunt.scenario;
    if (hunt.scenario.commandsFrom !== undefined) hunt.attempt(scenario);
    reduce(scenario.commands ?? [], (commands) =>
      hunt.change({ commands, count: commands.length }),
    );
    return;
  }
  for (let fewer = 1; fewer < clients; fewer++) if (hunt.change({ clients: fewer })) break;
  if (outstanding > 1) hunt.change({ outstanding: 1 });
  for (let fewer = 1; fewer < count; fewer *= 2) if (hunt.change({ count: fewer })) break;
}

/** Choices one by one. */
function kinder(hunt: Hunt): void {
  const { script, scenario } = hunt;
  const luck = script.choices.flatMap((choice, i) => (isNotKindest(choice) ? [i] : []));
  const kept = reduce(luck, (places) => {
    const still = new Set(places);
    const choices = script.choices.map((choice, i) => (still.has(i) ? choice : 0));
    return hunt.attempt({ ...scenario, script: { ...script, choices: trimmed(choices) } });
  });
  const last = kept.at(-1) ?? -1;
  const choices = hunt.script.choices.slice(0, last + 1);
  if (choices.length < hunt.script.choices.length)
    hunt.attempt({ ...hunt.scenario, script: { ...hunt.script, choices } });
}

/** Without the zeros at the end: they are what is missing. */
function trimmed(choices: readonly number[]): readonly number[] {
  let length = choices.length;
  while (length > 0 && choices[length - 1] === 0) length--;
  return choices.slice(0, length);
}
