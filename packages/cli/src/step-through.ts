/** The keyboard and the screen of `replay --step`. */
import { emitKeypressEvents, type Key } from 'node:readline';
import type { TraceModel } from '@quorumlab/trace-view';
import type { Io } from './io.ts';
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
export async function stepThrough(io: Io, model: TraceModel): Promise<void> {
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
