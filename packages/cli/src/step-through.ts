/** The keyboard and the screen of `replay --step`. */
import { emitKeypressEvents, type Key } from 'node:readline';
import type { TraceModel } from '@quorumlab/trace-view';
import type { Io } from './io.ts';
import { openInBrowser, playgroundPage, type Served, serve } from './page.ts';
import { eventLine, pressed, screenOf, stepperOf } from './stepper.ts';

/** Whether somebody can press keys and see what they do. */
export const isInteractive = (): boolean =>
  process.stdin.isTTY === true && process.stdout.isTTY === true && process.env.TERM !== 'dumb';

/** Every event, a line each: for files, pipes and those who read from the top. */
export function sayEvents(io: Io, model: TraceModel): void {
  for (const event of model.events) io.out(eventLine(io, model, event));
}

/** Keys as `pressed` knows them: letters as they are, others by their names. */
const nameOf = (text: string | undefined, key: Key): string => {
  if (key.ctrl) return `ctrl+${key.name}`;
  const named = key.name === undefined || key.name.length === 1;
  return named ? (text ?? '') : (key.name as string);
};

/** Walks through a run until somebody leaves; the terminal is then as it was before. */
export async function stepThrough(io: Io, model: TraceModel, trace: string): Promise<void> {
  await using pages = new AsyncDisposableStack();
  const show = opener(trace, pages);
  const { stdin, stdout } = process;
  let stepper = stepperOf(model);
  let height = 0;
  const draw = (): void => {
    const lines = screenOf(io, stepper);
    // What was there before is overwritten from its first line on.
    const up = height > 1 ? `\u001b[${height - 1}A` : '';
    stdout.write(`${up}\r\u001b[J${lines.join('\r\n')}`);
    height = lines.length;
  };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  try {
    draw();
    await new Promise<void>((resolve) => {
      const onKey = (text: string | undefined, key: Key): void => {
        stepper = pressed(stepper, nameOf(text, key));
        if (stepper.opens)
          void show(stepper.at).then((note) => {
            stepper = { ...stepper, note };
            if (!stepper.ended) draw();
          });
        if (!stepper.ended) return draw();
        stdin.off('keypress', onKey);
        resolve();
      };
      stdin.on('keypress', onKey);
      stdin.once('end', resolve);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write('\r\n');
  }
}

/** Serves the playground with the trace once, and opens it at an event; says where it is. */
function opener(trace: string, pages: AsyncDisposableStack): (at: number) => Promise<string> {
  let served: Promise<Served> | undefined;
  return async (at) => {
    try {
      served ??= playgroundPage().then(async (page) => pages.use(await serve(page, 0, trace)));
      const address = `${(await served).address}#/trace?at=${at}`;
      openInBrowser(address);
      return `in the browser: ${address}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
}
