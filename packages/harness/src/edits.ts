/** What somebody changes in a run by hand, as links have it: `900ms.crash.1~drop.0-1-5`. */
import type { CopyChange } from '@quorumlab/sim';
import { timeText } from './command-line.ts';
import { microseconds, type Scenario, ScenarioError, type ScenarioFault } from './scenario.ts';

/** A fault that people make happen at a moment. */
export type TimedEdit = Extract<
  ScenarioFault,
  { readonly type: 'crash' | 'restart' | 'timeout' | 'split' | 'heal' }
>;

/** One change: of the world at a moment, or of one copy of a message. */
export type Edit = TimedEdit | CopyChange;

/** Edits of one run at most: more are a scenario of their own, for a file. */
export const mostEdits = 200;

/** An edit as a link has it. */
export function editText(edit: Edit): string {
  if (isCopy(edit)) {
    const { from, to, nth, does, after } = edit;
    const copy = `${does}.${from}-${to}-${nth}`;
    return after === undefined ? copy : `${copy}.${timeText(after)}`;
  }
  const when = timeText(edit.at);
  switch (edit.type) {
    case 'split':
      return `${when}.split.${edit.groups.map((group) => group.join('+')).join('-')}`;
    case 'heal':
      return `${when}.heal`;
    default:
      return `${when}.${edit.type}.${edit.node}`;
  }
}

/** The edits of a text. Throws a ScenarioError (QL105) that names what is none. */
export function editsIn(text: string): readonly Edit[] {
  const parts = text.split('~').filter((each) => each !== '');
  if (parts.length > mostEdits)
    throw new ScenarioError(
      'QL105',
      `a link has at most ${mostEdits} edits, and this one has ${parts.length}: save its trace.`,
    );
  return parts.map(editIn);
}

/** Edits as a link has them. */
export const editsText = (edits: readonly Edit[]): string => edits.map(editText).join('~');

function editIn(text: string): Edit {
  const edit = copyIn(text) ?? timedIn(text);
  if (edit !== undefined) return edit;
  throw new ScenarioError(
    'QL105',
    `"${text}" is no edit; write e.g. 900ms.crash.1, 900ms.restart.1, 900ms.timeout.2, ` +
      '900ms.split.0+1-2+3, 1500ms.heal, drop.0-1-5, twice.0-1-5 or move.0-1-5.20ms.',
  );
}

function copyIn(text: string): CopyChange | undefined {
  const [, does, from, to, nth, after] =
    /^(drop|twice|move)\.(\d{1,4})-(\d{1,4})-(\d{1,9})(?:\.(\w+(?:\.\d+)?\w*))?$/.exec(text) ?? [];
  // What is lost arrives at no time.
  if (does === undefined || does === (after === undefined ? 'move' : 'drop')) return undefined;
  return {
    ...{ from: Number(from), to: Number(to), nth: Number(nth) },
    does: does as CopyChange['does'],
    ...(after === undefined ? {} : { after: microseconds(after) }),
  };
}

/** Whether no node is named twice. */
export const isOnce = (nodes: readonly number[]): boolean => new Set(nodes).size === nodes.length;

function timedIn(text: string): TimedEdit | undefined {
  const [, when = '', type, rest] =
    /^(\d+(?:\.\d+)?(?:us|ms|s|m)?)\.(crash|restart|timeout|split|heal)(?:\.([\d+-]+))?$/.exec(
      text,
    ) ?? [];
  if (type === undefined) return undefined;
  // A number alone is one of milliseconds.
  const at = microseconds(/\d$/.test(when) ? `${when}ms` : when);
  if (type === 'heal') return rest === undefined ? { type, at } : undefined;
  if (type === 'split') {
    if (rest === undefined || !/^\d+(\+\d+)*(-\d+(\+\d+)*)+$/.test(rest)) return undefined;
    const groups = rest.split('-').map((group) => group.split('+').map(Number));
    return isOnce(groups.flat()) ? { type, at, groups } : undefined;
  }
  if (rest === undefined || !/^\d{1,4}$/.test(rest)) return undefined;
  return { type: type as 'crash', at, node: Number(rest) };
}

/** The edits that a scenario has; what a link cannot say is left out. */
export const editsOf = ({ faults, copies = [] }: Scenario): readonly Edit[] => [
  ...faults.filter(isTimed),
  ...copies,
];

const isTimed = (fault: ScenarioFault): fault is TimedEdit =>
  fault.type === 'split' || fault.type === 'heal'
    ? true
    : (fault.type === 'crash' || fault.type === 'restart' || fault.type === 'timeout') &&
      fault.node !== 'leader' &&
      Object.keys(fault).length === 3;

const isCopy = (edit: Edit): edit is CopyChange => 'does' in edit;

/** A scenario with edits: those at moments are faults, in the order of their moments. */
export function edited(scenario: Scenario, edits: readonly Edit[]): Scenario {
  const copies = edits.filter(isCopy);
  const faults = edits.flatMap((each) => (isCopy(each) ? [] : [each]));
  return {
    ...scenario,
    faults: [...scenario.faults, ...faults].sort((one, two) => one.at - two.at),
    ...(copies.length === 0 ? {} : { copies: [...(scenario.copies ?? []), ...copies] }),
  };
}
