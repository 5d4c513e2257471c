import type { Status } from '@quorumlab/core';
import { type LogOutput, snapshotBy } from '@quorumlab/log';
import type { Notices } from './notices.ts';
import { now } from './time.ts';

/**
 * Tells the log what an operator asks first about a replica: who leads, in which term, and which
 * snapshots were taken, fetched and taken over.
 */
export class Chronicle {
  readonly #notices: Notices;
  readonly #self: number;
  #leader: number | undefined;
  #term: number | undefined;
  #role: string | undefined;
  #trouble: string | undefined;
  /** The snapshot that is being fetched, and since when. */
  #fetching: { readonly slot: number; readonly since: number } | undefined;

  constructor(notices: Notices, self: number) {
    this.#notices = notices;
    this.#self = self;
  }

  /** Looks at the machine after it has run. */
  look({ leader, term, role, trouble }: Status): void {
    if (trouble !== this.#trouble && trouble !== undefined)
      this.#notices.note('error', {}, trouble);
    this.#trouble = trouble;
    if (leader === this.#leader && term === this.#term && role === this.#role) return;
    const before = {
      leader: this.#leader ?? null,
      term: this.#term ?? null,
      protocolRole: this.#role,
    };
    const sameLeader = leader === this.#leader;
    const sameRole = role === this.#role;
    const sameTerm = term === this.#term;
    this.#leader = leader;
    this.#term = term;
    this.#role = role;
    // `role` is that of the process: replica or client.
    const fields = { term, leader: leader ?? null, protocolRole: role, before };
    const note = (level: 'debug' | 'info', text: string): void =>
      this.#notices.note(level, fields, text);
    // Where every block has a term of its own, this is how things go.
    if (sameLeader && sameRole && leader !== undefined)
      note('debug', 'The term has changed, and the leader is the same.');
    else if (sameLeader && sameTerm) note('info', 'The role of this replica has changed.');
    else note('info', this.#sentence(leader, before.leader));
  }

  #sentence(leader: number | undefined, before: number | null): string {
    if (leader === this.#self) return 'This replica leads a new term.';
    if (leader !== undefined) return 'Another replica leads a new term.';
    return before === null ? 'A new term has no leader yet.' : 'The leader is lost.';
  }

  /** Looks at what the machine wants to send. */
  said(message: { readonly kind: string; readonly slot?: unknown }, to: number | 'all'): void {
    if (message.kind !== 'snapshot-request' || typeof message.slot !== 'number') return;
    const { slot } = message;
    if (this.#fetching?.slot === slot) return;
    this.#fetching = { slot, since: now() };
    this.#notices.note('info', { slot, from: to }, 'Fetches a snapshot from another replica.');
  }

  /** Looks at what is durable now. */
  released(output: LogOutput): void {
    const snapshot = output.writes.length === 0 ? undefined : snapshotBy(output);
    if (snapshot === undefined) return;
    const { slot, size, digest, origin } = snapshot;
    const fields = { slot, bytes: size, digest: digest.slice(0, 16) };
    if (origin === 'taken') return this.#notices.note('info', fields, 'Took a snapshot.');
    const ms = Math.round(now() - (this.#fetching?.since ?? now()));
    this.#fetching = undefined;
    this.#notices.note('info', { ...fields, ms }, 'Took over a snapshot of another replica.');
  }
}
