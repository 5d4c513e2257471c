/** Many things in one picture: what a move of the cursor does not touch is not drawn again. */
import { Component, h, type JSX } from 'preact';
import type { Window } from './views.ts';

/** Things of one picture that are drawn in the same way, in the order of its events. */
export interface ChunksProps<T> {
  readonly items: readonly T[];
  /** The event with which a thing is there. */
  readonly eventOf: (item: T) => number;
  /** Whether somebody looks at it. */
  readonly isChosen: (item: T) => boolean;
  /** From which height to which it stands. */
  readonly spanOf: (item: T) => Window;
  readonly at: number;
  readonly window: Window | undefined;
  readonly draw: (item: T, isChosen: boolean) => JSX.Element;
  /** Draws many that nobody looks at together; each by itself if this is left out. */
  readonly drawAll?: (items: readonly T[]) => JSX.Element;
}

/** Things in one part: a move of the cursor changes one or two of these, and the others stay. */
const chunkSize = 64;

/** Things that are drawn together, and what all of them are within: most parts are passed over. */
interface Part<T> {
  readonly items: readonly T[];
  readonly span: Window;
  /** The event with which the first of them is there. */
  readonly first: number;
}

const parts = new WeakMap<readonly unknown[], readonly Part<unknown>[]>();

/** The parts of a list, made once. */
function partsOf<T>({ items, spanOf, eventOf }: ChunksProps<T>): readonly Part<T>[] {
  const known = parts.get(items);
  if (known !== undefined) return known as readonly Part<T>[];
  const made: Part<T>[] = [];
  for (let i = 0; i < items.length; i += chunkSize) {
    const some = items.slice(i, i + chunkSize);
    const spans = some.map(spanOf);
    const span = [
      Math.min(...spans.map(([top]) => top)),
      Math.max(...spans.map(([, bottom]) => bottom)),
    ] as const;
    made.push({ items: some, span, first: Math.min(...some.map(eventOf)) });
  }
  parts.set(items, made as readonly Part<unknown>[]);
  return made;
}

const meets = ([top, bottom]: Window, window: Window | undefined): boolean =>
  window === undefined || (bottom >= window[0] && top <= window[1]);

/** All things that are there and in sight, part by part. */
export function Chunks<T>(props: ChunksProps<T>): JSX.Element {
  const { eventOf, isChosen, spanOf, at, window, draw, drawAll } = props;
  return h(
    'g',
    null,
    partsOf(props).map(({ items, span, first }, key) => {
      if (first > at || !meets(span, window)) return null;
      const there = items.filter((item) => eventOf(item) <= at && meets(spanOf(item), window));
      if (there.length === 0) return null;
      return h(Chunk, {
        ...{ key, there, chosen: there.filter(isChosen) },
        draw: (item) => draw(item as T, isChosen(item as T)),
        ...(drawAll && { drawAll: (all: readonly unknown[]) => drawAll(all as readonly T[]) }),
      });
    }),
  );
}

interface ChunkProps {
  readonly there: readonly unknown[];
  readonly chosen: readonly unknown[];
  readonly draw: (item: unknown) => JSX.Element;
  readonly drawAll?: (items: readonly unknown[]) => JSX.Element;
}

const isSame = (one: readonly unknown[], two: readonly unknown[]): boolean =>
  one.length === two.length && one.every((each, i) => each === two[i]);

/** A part that is drawn again only if something else of it is to be seen, or held. */
class Chunk extends Component<ChunkProps> {
  override shouldComponentUpdate({ there, chosen }: ChunkProps): boolean {
    return !isSame(there, this.props.there) || !isSame(chosen, this.props.chosen);
  }
  override render({ there, chosen, draw, drawAll }: ChunkProps): JSX.Element {
    // Those that are looked at lie over the others.
    const alone = drawAll === undefined ? there : chosen;
    return h('g', null, drawAll?.(there), alone.map(draw));
  }
}
