/** The rest of one group of a process: what counts as something to do, and who is told. */
import type { Output, PrincipalId, ReplicaId, Shape, Status, Submit } from '@quorumlab/core';
import type { LogOutput } from '@quorumlab/log';
import type { Hosted, Process } from './process.ts';
import { encodeRest, Rest, type RestMessage } from './rest.ts';
import type { Timers } from './timers.ts';

/** A replica as its rest sees it. */
export interface Rester {
  readonly group: Hosted;
  readonly self: ReplicaId;
  /** Who is let in, this replica too; changes in place. */
  readonly inside: readonly ReplicaId[];
  /** False for protocols whose members may lie, and for replicas that do. */
  mayRest(): boolean;
  status(): Status;
  /** What has run here. */
  applied(): { readonly applied: number; readonly state: number };
  /** Whether nothing waits in its loop. */
  isIdle(): boolean;
  timers(): Pick<Timers<string>, 'sleep' | 'wake'>;
}

/** See the module's comment. */
export class GroupRest {
  readonly #rester: Rester;
  readonly #process: Process;
  /** Operations of this process that are not answered. */
  readonly #asked = new Set<number>();
  /** Absent where groups do not rest. */
  readonly #rest: Rest | undefined;

  constructor(process: Process, rester: Rester) {
    this.#process = process;
    this.#rester = rester;
    const { quietMs } = process;
    if (quietMs === undefined || !rester.mayRest()) return;
    const { self } = rester;
    this.#rest = new Rest({
      self,
      quietMs,
      others: () => this.#others(),
      isWhole: () => {
        const connected = process.connected(rester.group);
        return this.#others().every((id) => connected.includes(id));
      },
      standing: () => this.#standing(),
      sleep: () => rester.timers().sleep(),
      wake: () => rester.timers().wake(),
      say: (to, message) => this.#say(to, message),
    });
  }

  get isResting(): boolean {
    return this.#rest?.isAsleep ?? false;
  }

  look(): void {
    this.#rest?.look();
  }

  /** A member lets the group rest, or wakes it. */
  hear(from: PrincipalId, message: RestMessage): void {
    if (!this.#rester.inside.includes(from)) return;
    if (this.#rest !== undefined) this.#rest.hear(from, message);
    else if (message !== 'wake') this.#say(from, 'wake');
  }

  /** The link to somebody began or ended: what was said may not have been heard. */
  linked(id: PrincipalId): void {
    if (this.#rester.inside.includes(id)) this.#rest?.stir();
  }

  /** This process wants something, or does not any more. */
  asked(event: Submit | { readonly type: 'cancel'; readonly id: number }): void {
    if (event.type === 'submit') this.#asked.add(event.id);
    else this.#asked.delete(event.id);
    this.#rest?.stir();
  }

  answered({ answers }: Pick<LogOutput, 'answers'>): void {
    for (const { id } of answers) this.#asked.delete(id);
  }

  /** A step asks for something: what it says alone may be a sign of life. */
  moved<S extends Shape>(output: Output<S>): void {
    const { writes, decisions, applied, answers, sends, early } = output;
    if (writes.length + decisions.length + applied.length + answers.length > 0) this.#rest?.stir();
    else if (sends.length + early.length > 0) this.#rest?.rouse();
  }

  #others(): readonly ReplicaId[] {
    const { self, inside } = this.#rester;
    return inside.filter((id) => id !== self);
  }

  #say(to: PrincipalId, message: RestMessage): boolean {
    const { address } = this.#rester.group;
    return this.#process.mesh?.send(to, encodeRest(address, message)) ?? false;
  }

  #standing() {
    const { leader, term, trouble } = this.#rester.status();
    const isBusy = this.#asked.size > 0 || trouble !== undefined || !this.#rester.isIdle();
    if (isBusy || !this.#rester.mayRest()) return undefined;
    const { applied, state } = this.#rester.applied();
    return { leader, term, next: applied + 1, state };
  }
}
