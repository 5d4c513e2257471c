/**
 * Tells the observer what honest clients asked for and were answered. The simulator sees wishes
 * under their own numbers, and requests under the sequences that client machines gave them; this
 * is where the two are brought together.
 */
import type { Observer } from '@quorumlab/checker';
import {
  type Answer,
  asksForSession,
  type Instant,
  lifeOf,
  type PrincipalId,
  type Request,
  type Submit,
  sameBytes,
} from '@quorumlab/core';

/** The wishes of one seat. */
export interface Wishes {
  submitted(wish: Submit): void;
  /** Its machine starts again: what it was asked before is forgotten. */
  restarted(at: Instant): void;
  /** A message of this seat that is a request: its own, or one it passes on. */
  said(at: Instant, request: Request): void;
  answered(at: Instant, answer: Answer): void;
}

interface Asked {
  readonly sequence: number;
  readonly results: (Uint8Array | undefined)[];
  missing: number;
}

interface Place {
  readonly asked: Asked;
  readonly index: number;
  readonly operation: Uint8Array;
}

/** The wishes of the client or replica `client`. */
export function wishes(client: PrincipalId, observer: Observer): Wishes {
  const waiting = new Map<number, Uint8Array>();
  const places = new Map<number, Place>();
  let last = -1;
  let session: number | undefined;

  function take(operation: Uint8Array): number | undefined {
    for (const [id, each] of waiting) {
      if (!sameBytes(each, operation)) continue;
      waiting.delete(id);
      return id;
    }
    return undefined;
  }

  /** The session was another's, so nothing has run in it: its operations are asked for anew. */
  function startOver(at: Instant): void {
    const asked = new Set<Asked>();
    const later = [...waiting];
    waiting.clear();
    for (const [id, place] of places) {
      waiting.set(id, place.operation);
      asked.add(place.asked);
    }
    places.clear();
    for (const [id, operation] of later) waiting.set(id, operation);
    for (const { sequence } of asked) observer.refused?.(at, client, sequence);
  }

  return {
    restarted(at) {
      const asked = new Set([...places.values()].map((place) => place.asked));
      waiting.clear();
      places.clear();
      for (const { sequence } of asked) observer.abandoned?.(at, client, sequence);
    },
    submitted: (wish) => void waiting.set(wish.id, wish.operation),
    said(at, request) {
      if (request.client !== client || request.sequence <= last) return;
      const isSameLife = lifeOf(last) === lifeOf(request.sequence);
      last = request.sequence;
      if (asksForSession(request)) return;
      if (isSameLife && request.session !== session) startOver(at);
      session = request.session;
      observer.asked?.(at, request);
      const { configuration } = request;
      const operations = configuration === undefined ? request.operations : [configuration];
      const results = operations.map(() => undefined);
      const asked: Asked = { sequence: last, results, missing: results.length };
      operations.forEach((operation, index) => {
        const id = take(operation);
        if (id !== undefined) places.set(id, { asked, index, operation });
      });
    },
    answered(at, answer) {
      const { id, result } = answer;
      const refused = answer.error === undefined ? undefined : answer.refused;
      waiting.delete(id);
      const place = places.get(id);
      if (place === undefined) return;
      places.delete(id);
      const { asked, index } = place;
      // Operations of one request share its fate.
      if (refused !== undefined) observer.refused?.(at, client, asked.sequence);
      asked.results[index] = result;
      asked.missing--;
      if (asked.missing > 0) return;
      const results = asked.results.filter((each) => each !== undefined);
      // An error is no answer: the request may run or not, and nobody believes anything of it.
      if (results.length < asked.results.length) observer.abandoned?.(at, client, asked.sequence);
      else observer.answered?.(at, client, asked.sequence, results);
    },
  };
}
