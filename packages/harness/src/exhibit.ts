/** What a mutant's own schedule does to it, and to the right protocol beside it. */
import {
  type Played,
  playExhibit,
  type RequestShape,
  type StageWatcher,
} from '@quorumlab/adversary';
import { type VerdictWord, type Violation, worst } from '@quorumlab/checker';
import {
  type Exhibit,
  encode,
  type GroupSize,
  type OptionValues,
  type Output,
  type Protocol,
  toHex,
  toUtf8,
} from '@quorumlab/core';
import { keyValueOperation, type LogShape } from '@quorumlab/log';
import { sha256 } from '@quorumlab/wire';
import { agreementOf } from './agreement-of.ts';
import { describeRequest } from './describe.ts';
import type { AnyShape } from './prepare.ts';
import type { ProtocolEntry } from './protocol-entry.ts';
import { ScenarioError } from './scenario.ts';
import { simulatedDigest } from './simulated-digest.ts';
import {
  requestsIn,
  type StoryLine,
  saidLine,
  storyteller,
  type ToldValue,
  toldValue,
} from './story.ts';

/** One variant under the schedule. */
export interface ExhibitedRun {
  readonly word: VerdictWord;
  readonly violation: Violation | undefined;
  /** Who lied; the schedule spoke for them. */
  readonly liars: readonly number[];
  readonly steps: number;
  /** What happened, in thousands of steps. */
  readonly story: readonly StoryLine[];
  /** Of the story: the same schedule on the same protocol has the same. */
  readonly digest: string;
}

/** Both variants under the schedule of a mutant. */
export interface Exhibition {
  readonly protocol: string;
  readonly mutant: string;
  readonly n: number;
  readonly f: number;
  /** The protocol's own options in this group: which variant it is, for example. */
  readonly options: OptionValues;
  /** How the schedule goes, in one sentence. */
  readonly story: string;
  /** What the mutant is to do under it. */
  readonly shows: VerdictWord;
  readonly right: ExhibitedRun;
  readonly wrong: ExhibitedRun;
}

/**
 * Plays the schedule that exposes `mutant` with it and with the right protocol. Throws a
 * ScenarioError if there is no such mutant, or none of its schedules.
 */
export function exhibit(entry: ProtocolEntry, mutant: string): Exhibition {
  const exposure = entry.exhibit(mutant);
  if (exposure === undefined)
    throw new ScenarioError(
      'QL116',
      `the mutant ${mutant} of ${entry.name} has no schedule of its own; ` +
        'look for a violation with --attack and --seeds.',
    );
  const { exhibit: shown, right, wrong } = exposure;
  return {
    protocol: entry.name,
    mutant,
    n: right.members.length,
    f: right.f,
    options: ownOptions(shown.options),
    story: shown.story,
    shows: shown.shows,
    right: playOne(shown, right),
    wrong: playOne(shown, wrong),
  };
}

/** What a group is told besides its size and its host, as far as it can be written in a line. */
const ownOptions = ({ n: _, f: __, ...rest }: GroupSize): OptionValues => {
  const options: Record<string, number | boolean | string> = {};
  for (const [name, value] of Object.entries<unknown>(rest))
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      options[name] = value;
  return options;
};

const operation = (text: string): Uint8Array =>
  encode(keyValueOperation, { kind: 'put', key: toUtf8('x'), value: toUtf8(text) });

/** A story counts the steps of a schedule in thousands, where that of a run has microseconds. */
const step = 1000;

/** The shape that machines on a stage have: any protocol's, whose commands are requests. */
type Shape = LogShape & RequestShape;

function playOne(shown: Exhibit<LogShape>, protocol: Protocol<LogShape>): ExhibitedRun {
  const story: StoryLine[] = [];
  const told = protocol.members.map((id) => storyteller(id, false, protocol.termWord));
  const watch: StageWatcher<Shape> = {
    stepped: (at, member, output, status) =>
      // A story looks at what is the same in all shapes.
      void story.push(
        ...(told[member]?.stepped(at * step, output as unknown as Output<AnyShape>, status) ?? []),
      ),
    befell: (at, seat, text) => void story.push({ at: at * step, seat, kind: 'befalls', text }),
    said(at, from, to, message) {
      if (!liars.has(from) || to === from) return;
      const requests = requestsIn(message);
      if (requests.length > 0) say(story, at * step, from, toldValue(requests, [to]));
    },
  };
  const liars = new Set<number>();
  const played = playExhibit<Shape>(shown as Exhibit<Shape>, protocol as Protocol<Shape>, {
    digest: simulatedDigest,
    operation,
    watch: {
      ...watch,
      befell(at, member, what) {
        if (what === 'lies') liars.add(member);
        else watch.befell?.(at, member, what);
      },
    },
  });
  const violation = judge(protocol, played);
  return {
    word: violation?.word ?? 'ok',
    violation,
    liars: [...played.liars].sort((one, two) => one - two),
    steps: played.steps,
    story,
    digest: toHex(sha256(toUtf8(JSON.stringify(story)))),
  };
}

/** A liar's words, by recipient: to those who hear the same at the same time, together. */
function say(story: StoryLine[], at: number, seat: number, value: ToldValue): void {
  const last = story.at(-1);
  const isSame = last?.kind === 'says' && last.at === at && last.seat === seat;
  const before = isSame ? (last.values ?? []) : [];
  if (isSame) story.pop();
  const known = before.find(({ name }) => name === value.name);
  const { to = [] } = value;
  const values =
    known === undefined
      ? [...before, value]
      : before.map((each) =>
          each === known ? { ...each, to: [...(each.to ?? []), ...to] } : each,
        );
  story.push(saidLine(at, seat, values));
}

/** The worst that honest members did: first of all whether they agree. */
function judge(
  { claims }: Protocol<LogShape>,
  { decisions, liars, faults }: Played,
): Violation | undefined {
  // On a stage any two commands interfere.
  const agree = agreementOf(claims, describeRequest, () => true);
  for (const { at, member, slot, commands } of decisions)
    if (!liars.has(member)) agree.decided?.(at, member, { slot, commands });
  if (agree.violation !== undefined) return agree.violation;
  const word = worst(faults.map((fault) => fault.word));
  const fault = faults.find((each) => each.word === word);
  return fault && { ...fault, seats: fault.members };
}
