/** The page `#/trace`: a file of the command line, shown, run again and compared. */
import { useSignal } from '@preact/signals';
import { h, type JSX, type TargetedEvent } from 'preact';
import { Player } from './player.ts';
import { type HeldTrace, inflated, tracesIn } from './report-file.ts';
import type { State } from './state.ts';

/** Bytes of a trace at most: as a picture it takes many times as much. */
const mostBytes = 32 * 1024 * 1024;

/** What stands in a file, compressed or not; nothing if that is damaged or too much. */
async function textOf(file: File): Promise<string> {
  const [one, two] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (one !== 0x1f || two !== 0x8b) return file.text();
  return inflated(file.stream(), 'gzip', mostBytes).catch(() => '');
}

/** The page that opens a trace. */
export function TracePage({ state }: { readonly state: State }): JSX.Element {
  const held = useSignal<readonly HeldTrace[]>([]);
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (file.size > mostBytes)
      state.sides.value = [
        { is: 'cannot', why: 'This trace has more than 32 MiB; shrink it with quorumlab shrink.' },
      ];
    else {
      const text = await textOf(file);
      held.value = await tracesIn(text).catch(() => []);
      state.open(held.value[0]?.text ?? text);
    }
  };
  return h(
    'main',
    {
      onDragOver: (event: DragEvent) => event.preventDefault(),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        void open(event.dataTransfer?.files[0]);
      },
    },
    h('h1', null, 'Open a trace'),
    h(
      'p',
      null,
      'A file that quorumlab run --trace or quorumlab attack has written. It stays on this ' +
        'machine: it is read here, run again here, and compared line by line.',
    ),
    h('input', {
      type: 'file',
      'aria-label': 'a trace file',
      accept: '.ndjson,.gz,.html',
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) =>
        void open(currentTarget.files?.[0]),
    }),
    held.value.length > 1 &&
      h(
        'div',
        { class: 'choices', role: 'group', 'aria-label': 'Counterexamples of this report' },
        held.value.map(({ name, text }) =>
          h('button', { type: 'button', onClick: () => state.open(text) }, name),
        ),
      ),
    state.sides.value.length > 0 && h(Player, { state }),
  );
}
