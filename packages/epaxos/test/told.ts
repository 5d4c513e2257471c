/** Runs that are written down word for word: see `runs/`. */
import type { Protocol } from '@quorumlab/core';
import { CrashTranscript, type Sheet, textOf } from '@quorumlab/protocol-testing';
import {
  type Epaxos,
  type EpaxosMessage,
  type EpaxosOptions,
  epaxos,
  type Runs,
  type Value,
} from '../src/index.ts';
import { type Cluster, cluster, type Packet } from './cluster.ts';

type Members = number | readonly number[];
/** Which messages: of this kind, and of and to these members. What is left out is any. */
export interface Which {
  readonly kind?: EpaxosMessage['kind'];
  readonly from?: Members;
  readonly to?: Members;
}

const isOf = (id: number, members: Members | undefined): boolean =>
  members === undefined || [members].flat().includes(id);

const fits =
  ({ kind, from, to }: Which) =>
  (packet: Packet): boolean =>
    (kind === undefined || packet.message.kind === kind) &&
    isOf(packet.from, from) &&
    isOf(packet.to, to);

/** A group, and the text of what it does. */
export interface Told {
  readonly group: Cluster;
  /** Tells the reader what comes next. */
  say(sentence: string): void;
  /** Does what need not be told. */
  quietly(script: () => void): void;
  /** Delivers what is in flight now and fits; what that causes is in flight then. */
  deliver(which?: Which): void;
  /** The same; it is still in flight afterwards. */
  copy(which: Which): void;
  /** Delivers what fits and what that causes; what does not fit is lost. */
  settle(which?: Which): void;
  /** Loses what is in flight and fits. */
  lose(which?: Which): void;
  /** Time goes on, by so much or until it is time, and a timer of `id` fires. */
  wait(id: number, timer: Epaxos['Timer'], micros?: number): void;
  /** Writes down what `id` remembers: these parts of its state. */
  knows(id: number, ...parts: readonly (keyof ReturnType<Cluster['view']>)[]): void;
}

/** Runs of instances as `0x2`: two of one command leader, from 0 on; values as their commands. */
function words(value: object): string | undefined {
  const { from, count, kind, commands } = value as Partial<Runs[number] & Value>;
  if (from !== undefined && count !== undefined) return `${from}x${count}`;
  if (kind === undefined || commands === undefined) return undefined;
  return kind === 'commands' ? textOf(commands) : kind;
}

/** One run in a group of its own. */
export interface Scene {
  /** What it shows. None: what the one before it shows, too. */
  readonly title?: string;
  readonly options: EpaxosOptions;
  /** Whose steps are told. All, unless told. */
  readonly of?: readonly number[];
  readonly script: (run: Told) => void;
}

function play({ title, of, script }: Scene, protocol: Protocol<Epaxos>, sheet: Sheet): void {
  if (title !== undefined) sheet.write(`== ${title}`, '');
  const text = new CrashTranscript<Epaxos>(sheet, words);
  let isOn = false;
  const group = cluster(protocol, {
    onStep: (step) => {
      if (of === undefined || of.includes(step.id)) text.step(step, isOn);
    },
  });
  isOn = true;
  const inFlight = (which: Which = {}): Packet[] => group.packets.filter(fits(which));
  script({
    group,
    say: (sentence) => text.say(sentence),
    quietly: (act) => {
      isOn = false;
      act();
      isOn = true;
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
      // The names of commands differ from run to run: only in how many places each is.
      const { places } = view;
      const all = { ...view, places: [...places.values()] };
      text.knows(id, Object.fromEntries(parts.map((part) => [part, all[part]])));
    },
  });
  sheet.write('');
}

/** Writes these runs down, one after the other. */
export function tell(scenes: readonly Scene[], sheet: Sheet): void {
  const protocols = new Map<EpaxosOptions, Protocol<Epaxos>>();
  for (const scene of scenes) {
    const protocol = protocols.get(scene.options) ?? epaxos(scene.options);
    protocols.set(scene.options, protocol);
    play(scene, protocol, sheet);
  }
}
