/** What the page knows, as signals, and everything that can change it. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { ScenarioError } from '@quorumlab/harness';
import { linkOf, type Place, placeOf, type Settings, scenarioOf } from '@quorumlab/harness/link';
import { type ClocksProps, layoutOf, type TraceModel } from '@quorumlab/trace-view';
import type { ComponentType } from 'preact';
import type { Answer, Question } from './ask.ts';
import type { Ask } from './asking.ts';
import { createLessons, type Lessons } from './learning.ts';
import type { Ran } from './ran.ts';
import { modelIn, seen, unseen, type Words } from './seen.ts';
import {
  countAt,
  countUntil,
  cursorsAt,
  type Drawn,
  type Moment,
  startOf,
  timelineOf,
} from './timeline.ts';
import { noTrace, noteOf } from './trace-words.ts';

/** One run, or why there is none. */
export type Side =
  /** `note`: what people should know of it, such as that it was begun again. */
  | { readonly is: 'running'; readonly note?: string }
  | { readonly is: 'cannot'; readonly why: string }
  | {
      readonly is: 'ran';
      /** Absent as long as a trace is only read, and not run again. */
      readonly ran?: Ran;
      readonly model: TraceModel;
      /** What clocks answered, also while the verdict is not to be seen yet. */
      readonly clocks?: Ran['clocks'];
      /** Of a trace that was opened: what running it again has shown. */
      readonly note?: string;
    };

/** Where everybody looks: how many moments are over, and the event that is held, if one is. */
export interface Selection {
  readonly count: number;
  readonly side?: number;
  readonly event?: number;
}

/** How a run is drawn. */
export type View = 'lanes' | 'ring' | 'story';

/** What the first screen does not need, and what comes behind it. */
export interface Rest extends Words {
  readonly pages: Readonly<
    Record<Exclude<Place['route'], 'home'>, ComponentType<{ readonly state: State }>>
  >;
  /** The number of the lesson that a link names, or the sentence that there is none. */
  lessonIn(part: string): number | string;
  /** What can be done with a run that is shown: exports. */
  readonly Clocks: ComponentType<ClocksProps>;
  readonly Exports: ComponentType<{ readonly ran: Ran; readonly model: TraceModel }>;
  /** Does what an edit is called, to what is held. */
  act(state: State, name: string): void;
}

/** Runs that somebody can come back to. */
export interface Branch {
  readonly name: string;
  readonly settings: Settings;
}

/** The state of a page. */
export interface State {
  /** What its runs are called where others stand on the same page; else empty. */
  readonly title: string;
  readonly place: Signal<Place>;
  readonly sides: Signal<readonly Side[]>;
  readonly selection: Signal<Selection>;
  readonly view: Signal<View>;
  readonly everything: Signal<boolean>;
  /** Moments a second; 0 stands still. */
  readonly pace: Signal<number>;
  /** Whether single letters are commands. */
  readonly letters: Signal<boolean>;
  readonly helping: Signal<boolean>;
  readonly drawn: ReadonlySignal<readonly (Drawn | undefined)[]>;
  readonly timeline: ReadonlySignal<readonly Moment[]>;
  readonly cursors: ReadonlySignal<readonly number[]>;
  /** Goes where a hash says, and runs what is to be seen there. */
  visit(hash: string): void;
  /** Runs two scenarios, and stops what was under way. */
  run(settings: Settings): void;
  /** Shows a trace with a note, or why it cannot be shown: then there is no model. */
  read(text: string, note: string): TraceModel | undefined;
  /** Shows a trace of the command line, and runs it again. */
  open(text: string): void;
  /** Moves the cursor, within the runs. */
  move(count: number): void;
  /** Holds an event: the inspector stays with it. The cursor goes on to it, and never back. */
  hold(side: number, event: number): void;
  /** The link to what is shown. */
  link(): string;
  readonly lessons: Lessons;
  readonly ask: Ask;
  /** The runs that came of edits, the first of them as it was chosen; `branch` is the one shown. */
  readonly branches: Signal<readonly Branch[]>;
  readonly branch: Signal<number>;
  /** Runs other settings as a branch of its own, and stays at the same moment. */
  edit(name: string, settings: Settings): void;
  /** Shows a branch that there is, or forgets one. */
  turnTo(branch: number): void;
  forget(branch: number): void;
  /** Shows a run in place of a side, with a note. */
  show(side: number, ran: Ran, note: string): void;
  /** Says of a side why it cannot be shown. */
  refuse(side: number, why: string): void;
  /** What the first screen does not need, once it has arrived. */
  readonly rest: ReadonlySignal<Rest | undefined>;
  arrive(rest: Rest): void;
  /** All branches as links, for a browser that puts this tab away; and back from there. */
  kept(): Kept;
  restore(kept: unknown): void;
}

/** What a tab keeps beside its address. */
export interface Kept {
  readonly branches: readonly { readonly name: string; readonly link: string }[];
}

/** A page that knows nothing yet; `ask` is how it runs something. */
export function createState(ask: Ask, title = ''): State {
  const place = signal(placeOf(''));
  const rest = signal<Rest | undefined>(undefined);
  const sides = signal<readonly Side[]>([]);
  const selection = signal<Selection>({ count: 0 });
  const everything = signal(false);
  const pace = signal(0);
  const drawn = computed(() =>
    sides.value.map((side) =>
      side.is === 'ran'
        ? { model: side.model, layout: layoutOf(side.model, everything.value) }
        : undefined,
    ),
  );
  const timeline = computed(() => timelineOf(drawn.value));
  const cursors = computed(() =>
    cursorsAt(timeline.value, selection.value.count, sides.value.length),
  );
  let stops: readonly (() => void)[] = [];
  /** Where the cursor may not go yet: a lesson shows what decides only after its question. */
  let barrier: number | undefined;
  const furthest = (): number =>
    barrier === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, countAt(timeline.value, 0, barrier) - 1);
  /** Ends what is under way, and forgets where the cursor stood: it was in other runs. */
  const clear = (): void => {
    for (const each of stops) each();
    stops = [];
    pace.value = 0;
    selection.value = { count: 0 };
    barrier = undefined;
  };
  const leave = (): void => {
    clear();
    sides.value = [];
  };
  /** The lesson of a place; of one that is not there the list is shown, and why. */
  const lessonAt = ({ lesson, ...list }: Place): number | undefined => {
    const isNone = lesson === undefined || lesson === 'quiz';
    const found = isNone ? undefined : rest.value?.lessonIn(lesson);
    if (typeof found === 'string')
      place.value = { ...list, complaints: [...list.complaints, found] };
    return typeof found === 'number' ? found : undefined;
  };
  const set = (at: number, side: Side): void => {
    sides.value = sides.value.map((each, i) => (i === at ? side : each));
  };
  const branches = signal<readonly Branch[]>([]);
  const branch = signal(0);
  /** Where the cursor stood in the run before an edit, in microseconds. */
  let moment: number | undefined;
  const begin = (): void => {
    const { at } = place.value;
    if (sides.value.some(({ is }) => is === 'running')) return;
    const there = moment === undefined ? undefined : countUntil(timeline.value, moment);
    moment = undefined;
    const start = there ?? at ?? startOf(timeline.value, drawn.value);
    selection.value = { count: Math.min(start, timeline.value.length) };
  };
  const ranInto = (at: number) => (answer: Answer) => {
    if (answer.says === 'cannot') set(at, { is: 'cannot', why: answer.why });
    if (answer.says === 'ran') set(at, { is: 'ran', ...seen(answer.ran, rest.value) });
    if (answer.says === 'meanwhile') set(at, { is: 'running', note: answer.what });
    begin();
  };
  const now = (): number | undefined => timeline.value[selection.value.count - 1]?.t;
  /** Runs the settings of a branch, from where the cursor stands. */
  const turn = (to: number): void => {
    const next = branches.value[to];
    if (next === undefined) return;
    const at = now();
    branch.value = to;
    const { route } = place.value;
    place.value = { route, hash: '', settings: next.settings, complaints: [] };
    start(next.settings);
    moment = at;
    begin();
  };
  const begun = (settings: Settings): void => {
    branches.value = [{ name: 'as chosen', settings }];
    branch.value = 0;
  };
  const start = (settings: Settings): void => {
    clear();
    sides.value = [{ is: 'running' }, { is: 'running' }];
    stops = ([0, 1] as const).map((side) => {
      const question = questionOf(settings, side);
      if (typeof question !== 'string') return ask(question, ranInto(side));
      set(side, { is: 'cannot', why: question });
      return () => undefined;
    });
    begin();
  };
  const read = (text: string, note: string): TraceModel | undefined => {
    clear();
    sides.value = [{ is: 'running' }];
    let model: TraceModel | undefined;
    try {
      model = modelIn(text, rest.value);
      sides.value = [{ is: 'ran', model, note }];
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      sides.value = [{ is: 'cannot', why: noTrace(text, error.message) }];
    }
    begin();
    return model;
  };
  const lessons = createLessons(ask, {
    wait(note) {
      clear();
      sides.value = [{ is: 'running', ...(note === undefined ? {} : { note }) }];
    },
    cannot: (why) => void (sides.value = [{ is: 'cannot', why }]),
    show: (ran, note) =>
      void (sides.value = [
        {
          is: 'ran',
          ...(note === undefined ? seen(ran, rest.value) : unseen(ran, rest.value, note)),
        },
      ]),
    pauseBefore(event) {
      barrier = event;
      selection.value = { count: furthest() };
    },
    goOn(event) {
      barrier = undefined;
      selection.value = { count: countAt(timeline.value, 0, event) };
    },
  });
  const state: State = {
    ...{ place, sides, selection, everything, drawn, timeline, cursors, ask, lessons, rest },
    ...{ branches, branch, title },
    view: signal<View>('lanes'),
    pace,
    letters: signal(true),
    helping: signal(false),
    visit(hash) {
      const before = place.value;
      place.value = placeOf(hash);
      const { route, settings } = place.value;
      if (route !== 'home' && rest.value === undefined) return leave();
      const lesson = route === 'learn' ? lessonAt(place.value) : undefined;
      if (lesson === undefined) lessons.end();
      if (lesson !== undefined) lessons.begin(lesson);
      else if (route === 'home' || route === 'play' || route === 'embed') {
        begun(settings);
        start(settings);
      } else if (route === 'shards') {
        clear();
        sides.value = [{ is: 'running' }];
        stops = [ask({ ask: 'shards', hash }, ranInto(0))];
      } else if (before.route !== route || route === 'learn') leave();
    },
    arrive(all) {
      rest.value = all;
      // Whoever began elsewhere than on the first screen has waited for it.
      if (place.value.route !== 'home') state.visit(place.value.hash);
    },
    kept: () => ({
      branches: branches.value.map((each) => ({ name: each.name, link: linkOf(each.settings) })),
    }),
    restore(kept) {
      const found = branchesIn(kept);
      const here = linkOf(place.value.settings);
      const at = found.findIndex(({ settings }) => linkOf(settings) === here);
      if (place.value.route !== 'play' || at < 0) return;
      branches.value = found;
      branch.value = at;
    },
    run(settings) {
      const { route } = place.value;
      // What a link said of its runs says nothing of others.
      place.value = { route, hash: '', settings, complaints: [] };
      begun(settings);
      start(settings);
    },
    edit(name, settings) {
      branches.value = [...branches.value, { name, settings }];
      turn(branches.value.length - 1);
    },
    turnTo: turn,
    forget(gone) {
      if (gone === 0 || branches.value[gone] === undefined) return;
      branches.value = branches.value.filter((_, i) => i !== gone);
      if (branch.value === gone) turn(gone - 1);
      else if (branch.value > gone) branch.value--;
    },
    show(side, ran, note) {
      set(side, { is: 'ran', ...seen(ran, rest.value), note });
      begin();
    },
    refuse: (side, why) => set(side, { is: 'cannot', why }),
    read,
    open(text) {
      const model = read(text, 'Running it again …');
      if (model === undefined) return;
      stops = [
        ask({ ask: 'again', trace: text }, (answer) => {
          const known = answer.says === 'again' ? { ran: answer.ran } : {};
          set(0, { is: 'ran', model, ...known, note: noteOf(answer) });
        }),
      ];
    },
    move(count) {
      const within = Math.max(0, Math.min(timeline.value.length, furthest(), count));
      selection.value = { count: within };
    },
    hold(side, event) {
      const { count } = selection.value;
      selection.value = {
        side,
        event,
        count: Math.min(furthest(), Math.max(count, countAt(timeline.value, side, event))),
      };
    },
    link() {
      const digests = sides.value.flatMap((side) =>
        side.is === 'ran' && side.ran !== undefined ? [side.ran.digest] : [],
      );
      return linkOf(place.value.settings, { at: selection.value.count, digests });
    },
  };
  return state;
}

/** Branches that were kept; none if it is anything else. */
function branchesIn(kept: unknown): readonly Branch[] {
  const { branches } = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Kept>;
  if (!Array.isArray(branches)) return [];
  return branches.flatMap(({ name, link }: Partial<Kept['branches'][number]>) =>
    typeof name === 'string' && typeof link === 'string'
      ? [{ name, settings: placeOf(link).settings }]
      : [],
  );
}

/** What to ask for one side, or the sentence why it cannot be. */
function questionOf(settings: Settings, side: 0 | 1): Question | string {
  try {
    return { ask: 'run', scenario: scenarioOf(settings, side) };
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split('\n')[0] ?? '';
    throw error;
  }
}
