/** Runs of groups that tolerate crashes, played and told step by step. */
import type { Protocol, ReplicaId, Replica as ReplicaOf } from '@quorumlab/core';
import type { CrashGroup, GroupOptions, Packet, SnapshotShape } from './crash-group.ts';
import { CrashTranscript, type Words } from './crash-transcript.ts';
import type { Sheet } from './sheet.ts';

type Members = ReplicaId | readonly ReplicaId[];

/** Which messages: of this kind, and of and to these members. What is left out is any. */
export interface Which<P extends SnapshotShape> {
  readonly kind?: P['Message']['kind'] | readonly P['Message']['kind'][];
  readonly from?: Members;
  readonly to?: Members;
}

const isOf = <T>(value: unknown, some: T | readonly T[] | undefined): boolean =>
  some === undefined || [some].flat().includes(value as T);

const fits =
  <P extends SnapshotShape>({ kind, from, to }: Which<P>) =>
  (packet: Packet<P>): boolean =>
    isOf(packet.message.kind, kind) && isOf(packet.from, from) && isOf(packet.to, to);

/** A group, and the text of what it does. */
export interface Told<P extends SnapshotShape, G extends CrashGroup<P>> {
  readonly group: G;
  /** Tells the reader what comes next. */
  say(sentence: string): void;
  /** Does what need not be told. */
  quietly(script: () => void): void;
  /** Delivers what is in flight now and fits; what that causes is in flight then. */
  deliver(which?: Which<P>): void;
  /** The same; it is still in flight afterwards. */
  copy(which: Which<P>): void;
  /** Delivers what fits and what that causes; what does not fit is lost. */
  settle(which?: Which<P>): void;
  /** Loses what is in flight and fits. */
  lose(which?: Which<P>): void;
  /** Time goes on, by so much or until it is time, and a timer of `id` fires. */
  wait(id: ReplicaId, timer: P['Timer'], micros?: number): void;
  /** Writes down what `id` remembers: these parts of its state. */
  knows(id: ReplicaId, ...parts: readonly (keyof ReplicaOf<P>)[]): void;
}

/** One run in a group of its own. */
export interface Scene<P extends SnapshotShape, G extends CrashGroup<P>, Options> {
  /** What it shows. None: what the one before it shows, too. */
  readonly title?: string;
  readonly options: Options;
  /** Whose steps are told. All, unless told. */
  readonly of?: readonly ReplicaId[];
  /** Whether syncs end at once: see `CrashGroup`. True unless told. */
  readonly instantSync?: boolean;
  readonly script: (run: Told<P, G>) => void;
}

/** What groups of one protocol are made of, and told with. */
export interface Stage<P extends SnapshotShape, G extends CrashGroup<P>, Options> {
  readonly protocol: (options: Options) => Protocol<P>;
  readonly group: (protocol: Protocol<P>, options: GroupOptions<P>) => G;
  /** How values of the protocol's own are told. */
  readonly words: Words;
  /** What is told in place of parts of a state that differ from run to run. */
  readonly instead?: (view: ReplicaOf<P>) => object;
}

function play<P extends SnapshotShape, G extends CrashGroup<P>, Options>(
  { group: groupOf, words, instead }: Stage<P, G, Options>,
  { title, of, instantSync = true, script }: Scene<P, G, Options>,
  protocol: Protocol<P>,
  sheet: Sheet,
): void {
  if (title !== undefined) sheet.write(`== ${title}`, '');
  const text = new CrashTranscript<P>(sheet, words);
  let isOn = false;
  const group = groupOf(protocol, {
    instantSync,
    onStep: (step) => {
      if (of === undefined || of.includes(step.id)) text.step(step, isOn);
    },
  });
  isOn = true;
  const inFlight = (which: Which<P> = {}): Packet<P>[] => group.packets.filter(fits(which));
  script({
    group,
    say: (sentence) => text.say(sentence),
    quietly: (act) => {
      const was = isOn;
      isOn = false;
      act();
      isOn = was;
    },
    deliver: (which) => {
      for (const each of inFlight(which)) group.deliver(each);
    },
    copy: (which) => {
      for (const { from, to, message } of inFlight(which)) group.inject(from, to, message);
    },
    settle: (which = {}) => void group.settle(fits(which)),
    lose: (which) => {
      for (const each of inFlight(which)) group.packets.splice(group.packets.indexOf(each), 1);
    },
    wait: (id, timer, micros) => {
      group.now += micros ?? 0;
      if (micros === undefined) group.timeout(id, timer);
      else group.fire(id, timer);
    },
    knows: (id, ...parts) => {
      const view = group.view(id);
      const all: Partial<Record<PropertyKey, unknown>> = { ...view, ...instead?.(view) };
      text.knows(id, Object.fromEntries(parts.map((part) => [part, all[part]])));
    },
  });
  sheet.write('');
}

/** Plays runs one after the other, and writes them down. */
export function teller<P extends SnapshotShape, G extends CrashGroup<P>, Options>(
  stage: Stage<P, G, Options>,
): (scenes: readonly Scene<P, G, Options>[], sheet: Sheet) => void {
  return (scenes, sheet) => {
    const protocols = new Map<Options, Protocol<P>>();
    for (const scene of scenes) {
      const protocol = protocols.get(scene.options) ?? stage.protocol(scene.options);
      protocols.set(scene.options, protocol);
      play(stage, scene, protocol, sheet);
    }
  };
}
