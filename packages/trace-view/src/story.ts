/** The same run as sentences: what the picture shows, for those who read. */
import { h, type JSX } from 'preact';
import { type Layout, layoutOf } from './layout.ts';
import type { EventView } from './model.ts';
import { classes, type ViewProps } from './views.ts';
import { sentenceOf, timeText, voteSentence } from './words.ts';

/** How much is told. */
export interface StoryProps extends ViewProps {
  /** The picture that is told; the folded one unless told. */
  readonly layout?: Pick<Layout, 'shown' | 'marks'>;
}

/** An ordered list of what happened until the cursor; each sentence leads to its event. */
export function Story(props: StoryProps): JSX.Element {
  const { model, at, selected, onSelect, layout = layoutOf(model) } = props;
  const votes = new Map(layout.marks.map((mark) => [mark.event, mark.votes]));
  return h(
    'ol',
    { class: 'story' },
    layout.shown
      .filter((i) => i <= at)
      .map((i) => {
        const event = model.events[i] as EventView;
        const { t, k, conflicts } = event;
        const group = k === 'deliver' ? votes.get(i) : undefined;
        const sentence =
          group === undefined ? sentenceOf(model, event) : voteSentence(model, group);
        return h(
          'li',
          { key: i, class: classes(k, conflicts && 'conflicts', i === selected && 'chosen') },
          h('span', { class: 'time' }, timeText(t)),
          h(
            'button',
            { type: 'button', onClick: () => onSelect(i) },
            `${conflicts ? '✗ ' : ''}${sentence}.`,
          ),
        );
      }),
  );
}
