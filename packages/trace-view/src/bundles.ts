/** Arrows of a large picture, drawn together: a few shapes take the place of hundreds. */
import { h, type JSX } from 'preact';
import type { Arrow, ArrowRole } from './layout.ts';

type Point = readonly [x: number, y: number];

const roles: readonly ArrowRole[] = ['other', 'client', 'value', 'lie'];

/** Where an arrow is drawn to: a lost message ends with a cross, before it gets there. */
export function tipOf({ from: [x1, y1], to: [x2, y2], lost }: Arrow): Point {
  return lost ? [x1 + (x2 - x1) * 0.85, y1 + (y2 - y1) * 0.85] : [x2, y2];
}

/** The cross of a lost message. */
export const crossAt = ([x, y]: Point): string => `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`;

/** The head of an arrow, as the marker `tip` has it. */
function headOf({ from: [x1, y1], to: [x2, y2] }: Arrow): string {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [x, y] = [(x2 - x1) / length, (y2 - y1) / length];
  const at = (along: number, across: number): string =>
    `${tenth(x2 + along * x - across * y)} ${tenth(y2 + along * y + across * x)}`;
  return `M${at(0.9, 0)}L${at(-6.1, 3.5)}L${at(-6.1, -3.5)}z`;
}

const tenth = (value: number): number => Math.round(10 * value) / 10;

/** The distance of a point from an arrow. */
function distance([x, y]: Point, arrow: Arrow): number {
  const [x1, y1] = arrow.from;
  const [x2, y2] = tipOf(arrow);
  const [width, height] = [x2 - x1, y2 - y1];
  const along = ((x - x1) * width + (y - y1) * height) / (width ** 2 + height ** 2 || 1);
  const share = Math.max(0, Math.min(1, along));
  return Math.hypot(x - x1 - share * width, y - y1 - share * height);
}

/** The arrow of a bundle that somebody means who points there; there is at least one. */
export const nearestTo = (point: Point, arrows: readonly Arrow[]): Arrow | undefined =>
  [...arrows].sort((one, two) => distance(point, one) - distance(point, two))[0];

/** Arrows as one line, one head and one cross for each of their roles. */
export function Bundle({
  arrows,
  onSelect,
}: {
  readonly arrows: readonly Arrow[];
  readonly onSelect: (event: number) => void;
}): JSX.Element {
  const onClick = (event: MouseEvent): void => {
    const picture = (event.currentTarget as SVGElement).ownerSVGElement?.getBoundingClientRect();
    const { left = 0, top = 0 } = picture ?? {};
    const nearest = nearestTo([event.clientX - left, event.clientY - top], arrows);
    if (nearest !== undefined) onSelect(nearest.end);
  };
  return h(
    'g',
    { onClick },
    roles.map((role) => {
      const own = arrows.filter((arrow) => arrow.role === role);
      if (own.length === 0) return null;
      const lines = own.map((arrow) => `M${arrow.from.join(' ')}L${tipOf(arrow).join(' ')}`);
      const lost = own.filter((arrow) => arrow.lost);
      const line = lines.join('');
      return h(
        'g',
        { class: `arrow ${role}` },
        h('path', { class: 'near', d: line }),
        h('path', { class: 'stroke', d: line }),
        h('path', {
          class: 'heads',
          d: own
            .filter((each) => !each.lost)
            .map(headOf)
            .join(''),
        }),
        lost.length > 0 &&
          h('path', { class: 'cross', d: lost.map((each) => crossAt(tipOf(each))).join('') }),
      );
    }),
  );
}
