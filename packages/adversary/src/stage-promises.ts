/** What clients of a stage believe before it is decided, and whether it stands. */
import type { ReplicaId, Slot, Tentative } from '@quorumlab/core';
import type { RequestShape, StageFault } from './played.ts';
import { keyOf } from './stage-seat.ts';

/** Results that members have told tentatively: see `ClientPolicy.tentative`. */
export class Promised<S extends RequestShape> {
  private readonly needed: number;
  private readonly liars: ReadonlySet<ReplicaId>;
  /** Who has told it, by what it is about. */
  private readonly told: Map<string, Set<ReplicaId>> = new Map();
  private readonly believed: Map<Slot, string> = new Map();

  constructor(needed: number | undefined, liars: ReadonlySet<ReplicaId>) {
    this.needed = needed ?? Number.POSITIVE_INFINITY;
    this.liars = liars;
  }

  /** Whether clients believe what `member` tells of the slot; liars tell it too. */
  add(member: ReplicaId, { slot, term, commands }: Tentative<S>): boolean {
    const what = commands.map(keyOf).join();
    const about = `${term}/${slot}/${what}`;
    const told = this.told.get(about) ?? new Set();
    this.told.set(about, told.add(member));
    const all = new Set([...told, ...this.liars]);
    if (all.size < this.needed) return false;
    // What was believed first stands.
    if (!this.believed.has(slot)) this.believed.set(slot, what);
    return true;
  }

  /** What is wrong with a decision of `member`, if clients were told something else. */
  broken(
    member: ReplicaId,
    slot: Slot,
    commands: readonly S['Command'][],
  ): Omit<StageFault, 'at'> | undefined {
    const known = this.believed.get(slot);
    if (known === undefined || known === commands.map(keyOf).join()) return undefined;
    const sentence =
      `n${member} decides something else at position ${slot} than what a client was told, and ` +
      'believed';
    return { word: 'invalid', rule: 'durability', sentence, members: [member] };
  }
}
