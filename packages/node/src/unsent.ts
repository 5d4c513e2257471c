/**
 * What waits until peers take it, of all of them together: what each may hold is bounded where it
 * waits. Members have room that nobody else can take, and clients and strangers share some beside
 * it. Who holds the most of the same room makes way for others.
 */
import { isClient } from './principal.ts';

/** Where bytes wait for one peer. */
export interface UnsentPlace {
  /** Whose they are; nothing: its key is none of the cluster's, or not proven yet. */
  readonly owner: number | undefined;
  bytes(): number;
  /** Ends the connection that they wait for; they are freed at once. */
  end(): void;
}

/** Most bytes that may wait. */
export interface UnsentLimits {
  /** For all members together. */
  readonly unsentBytesOfMembers: number;
  /** For all others together. */
  readonly unsentBytesOfOthers: number;
}

type Owner = UnsentPlace['owner'];

/** See the module's comment. */
export class Unsent {
  readonly #members: Room;
  readonly #others: Room;

  /** `dropped` is told who has to make way, and how many bytes were lost. */
  constructor(limits: UnsentLimits, dropped: (owner: Owner, bytes: number) => void) {
    this.#members = new Room(limits.unsentBytesOfMembers, dropped);
    this.#others = new Room(limits.unsentBytesOfOthers, dropped);
  }

  /** Bytes that wait now. */
  get bytes(): number {
    return this.#members.bytes + this.#others.bytes;
  }

  /** Counts what waits there from now on, until the function that this gives is called. */
  watch(place: UnsentPlace): () => void {
    const { places } = this.#roomOf(place.owner);
    places.add(place);
    return () => places.delete(place);
  }

  /** Whether so many bytes more may wait for `owner`: no, if that is who holds the most already. */
  admits(owner: Owner, bytes: number): boolean {
    return this.#roomOf(owner).admits(owner, bytes);
  }

  #roomOf(owner: Owner): Room {
    return owner === undefined || isClient(owner) ? this.#others : this.#members;
  }
}

class Room {
  readonly places = new Set<UnsentPlace>();
  readonly #limit: number;
  readonly #dropped: (owner: Owner, bytes: number) => void;
  /** At least what waits: places are added up only when this reaches the limit. */
  #atMost = 0;

  constructor(limit: number, dropped: (owner: Owner, bytes: number) => void) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get bytes(): number {
    let sum = 0;
    for (const place of this.places) sum += place.bytes();
    return sum;
  }

  admits(owner: Owner, bytes: number): boolean {
    if (this.#atMost + bytes > this.#limit) this.#atMost = this.bytes;
    while (this.#atMost + bytes > this.#limit) {
      const [heaviest, held] = this.#heaviest();
      if (held === 0 || heaviest === owner) return false;
      for (const place of this.places) if (place.owner === heaviest) this.#end(place);
      this.#dropped(heaviest, held);
      this.#atMost = this.bytes;
    }
    this.#atMost += bytes;
    return true;
  }

  #end(place: UnsentPlace): void {
    this.places.delete(place);
    place.end();
  }

  #heaviest(): readonly [Owner, number] {
    const sums = new Map<Owner, number>();
    for (const place of this.places)
      sums.set(place.owner, (sums.get(place.owner) ?? 0) + place.bytes());
    let heaviest: readonly [Owner, number] = [undefined, 0];
    for (const each of sums) if (each[1] > heaviest[1]) heaviest = each;
    return heaviest;
  }
}
