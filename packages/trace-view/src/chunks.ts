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
  readonly isWithin: (item: T, window: Window) => boolean;
  readonly at: number;
  readonly window: Window | undefined;
  readonly draw: (item: T, isChosen: boolean) => JSX.Element;
  /** Draws many that nobody looks at together; each by itself if this is left out. */
  readonly drawAll?: (items: readonly T[]) => JSX.Element;
}

/** Things in one part: a move of the cursor changes one or two of these, and the others stay. */
const chunkSize = 64;

const parts = new WeakMap<readonly unknown[], readonly (readonly unknown[])[]>();

/** The parts of a list, made once. */
function partsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  const known = parts.get(items);
  if (known !== undefined) return known as readonly (readonly T[])[];
  const made = Array.from({ length: Math.ceil(items.length / chunkSize) }, (_, i) =>
    items.slice(i * chunkSize, (i + 1) * chunkSize),
  );
  parts.set(items, made);
  return made;
}

/** All things that are there and in sight, part by part. */
export function Chunks<T>(props: ChunksProps<T>): JSX.Element {
  const { items, eventOf, isChosen, isWithin, at, window, draw, drawAll } = props;
  return h(
    'g',
    null,
    partsOf(items).map((part, key) => {
      const there = part.filter(
        (item) => eventOf(item) <= at && (window === undefined || isWithin(item, window)),
      );
      if (there.length === 0) return null;
      const chosen = there.filter(isChosen);
      return h(Chunk, {
        ...{ key, there, chosen },
        draw: (item) => draw(item as T, isChosen(item as T)),
        ...(drawAll && { drawAll: (items: readonly unknown[]) => drawAll(items as readonly T[]) }),
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
