/**
 * What all peers together make this process hold: until they take it, or until it is read. What
 * each may hold is bounded where it waits. Members have room that nobody else can take, and clients
 * and strangers share some beside it. Who holds the most of the same room makes way for others.
 */
import { isClient } from './principal.ts';

/** Where bytes wait for one peer. */
export interface Place {
  /** Whose they are; nothing: its key is none of the cluster's, or not proven yet. */
  readonly owner: number | undefined;
  bytes(): number;
  /** Ends the connection that they belong to; they are freed at once. */
  end(): void;
}

/** Most bytes that may wait. */
export interface RoomLimits {
  /** Of all members together. */
  readonly ofMembers: number;
  /** Of all others together. */
  readonly ofOthers: number;
}

type Owner = Place['owner'];

/** See the module's comment. */
export class Rooms {
  readonly #members: Room;
  readonly #others: Room;

  /** `dropped` is told who has to make way, and how many bytes were lost. */
  constructor(limits: RoomLimits, dropped: (owner: Owner, bytes: number) => void) {
    this.#members = new Room(limits.ofMembers, dropped);
    this.#others = new Room(limits.ofOthers, dropped);
  }

  /** Bytes that wait now. */
  get bytes(): number {
    return this.#members.bytes + this.#others.bytes;
  }

  /** Counts what waits there from now on, until the function that this gives is called. */
  watch(place: Place): () => void {
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
  readonly places = new Set<Place>();
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

  #end(place: Place): void {
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
