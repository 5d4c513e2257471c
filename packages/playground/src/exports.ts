/** A run for elsewhere: pictures, texts of other tools, a test. */
import { useSignal } from '@preact/signals';
import { vitestOf } from '@quorumlab/harness';
import {
  mermaidOf,
  Picture,
  PictureDefinitions,
  plantUmlOf,
  shiVizOf,
  summaryOf,
  type TraceModel,
} from '@quorumlab/trace-view';
import { h, type JSX, render } from 'preact';
import type { Ran } from './ran.ts';
import { save } from './save.ts';

interface Props {
  readonly ran: Ran;
  readonly model: TraceModel;
}

/** The styles of the views, for a picture that stands alone. */
const styles = (): string => document.querySelector('style')?.textContent ?? '';

/** The space-time picture as a document of its own. */
function svgOf(model: TraceModel): { readonly text: string; width: number; height: number } {
  const box = document.createElement('div');
  render(h('div', null, h(PictureDefinitions, null), h(Picture, { model })), box);
  const all = [...box.querySelectorAll('svg')];
  const picture = all.at(-1);
  const width = Number(picture?.getAttribute('width') ?? 0);
  const height = Number(picture?.getAttribute('height') ?? 0);
  const outer = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  outer.setAttribute('class', 'quorumlab');
  outer.setAttribute('width', String(width));
  outer.setAttribute('height', String(height));
  const part = (name: string, text: string): void => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    element.textContent = text;
    outer.append(element);
  };
  part('title', `${model.protocol}, ${model.n} replicas`);
  part('desc', summaryOf(model));
  part('style', styles());
  outer.append(...all);
  render(null, box);
  return { text: new XMLSerializer().serializeToString(outer), width, height };
}

/** The same as points, two for each of the screen. */
async function savePng(name: string, model: TraceModel): Promise<void> {
  const { text, width, height } = svgOf(model);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * 2;
  canvas.height = height * 2;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser draws no picture');
  context.fillStyle = getComputedStyle(
    document.querySelector('.quorumlab') ?? document.body,
  ).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  if (blob === null) throw new Error('the picture is too large; save it as SVG');
  save(name, blob);
}

/** Buttons, one for each thing that a run can become. */
export function Exports({ ran, model }: Props): JSX.Element {
  const note = useSignal('');
  const { scenario, word, digest, file: name } = ran;
  const text = (ending: string, content: string): void =>
    save(`${name}.${ending}`, new Blob([content], { type: 'text/plain' }));
  const ways: readonly (readonly [title: string, make: () => unknown])[] = [
    ['PNG', () => savePng(`${name}.png`, model)],
    ['SVG', () => text('svg', svgOf(model).text)],
    ['Mermaid', () => text('mmd', mermaidOf(model))],
    ['PlantUML', () => text('puml', plantUmlOf(model))],
    ['ShiViz', () => text('shiviz.log', shiVizOf(model))],
    ...(scenario === undefined
      ? []
      : ([['Copy as vitest test', () => copy(vitestOf(scenario, { word, digest }))]] as const)),
  ];
  /** Gives a text to the clipboard, or where there is none as a file. */
  const copy = async (content: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(content);
      note.value = 'The test is in the clipboard.';
    } catch {
      text('test.ts', content);
      note.value = 'This browser gives no clipboard: the test is saved as a file.';
    }
  };
  return h(
    'p',
    { class: 'choices' },
    'Save as ',
    ways.map(([title, make]) =>
      h(
        'button',
        {
          type: 'button',
          onClick: () =>
            void Promise.resolve()
              .then(make)
              .catch((error: Error) => {
                note.value = `This cannot be saved: ${error.message}.`;
              }),
        },
        title,
      ),
    ),
    h('span', { role: 'status' }, note.value),
  );
}
