/** Texts that tests keep on file: a test lends the file system, which this package has not. */
import { Sheet } from './sheet.ts';

/** What is asked of a file system: Node's `fs` has it. */
export interface KeptFiles<Place> {
  readFileSync(place: Place, encoding: 'utf8'): string;
  writeFileSync(place: Place, text: string): void;
}

/**
 * Plays what writes a text, and returns that. Throws at the first line that is not the one on file
 * under `name`.
 */
export type Keep = (name: string, play: (sheet: Sheet) => void) => string;

/**
 * Keeps texts in `files`, each where `placeOf` says. With `UPDATE_RUNS=1` in `environment`, that of
 * the process, they are written anew and not compared.
 */
export function keeper<Place>(
  files: KeptFiles<Place>,
  placeOf: (name: string) => Place,
  environment: Readonly<Record<string, string | undefined>>,
): Keep {
  const isNew = environment.UPDATE_RUNS === '1';
  return (name, play) => {
    const place = placeOf(name);
    const sheet = new Sheet(isNew ? undefined : files.readFileSync(place, 'utf8'));
    play(sheet);
    const { text } = sheet;
    if (isNew) files.writeFileSync(place, text);
    return text;
  };
}
