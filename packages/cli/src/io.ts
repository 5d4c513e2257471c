import { styleText } from 'node:util';
import { asciiJson, asciiOf } from './ascii.ts';
import { localised, telling } from './invocation.ts';
import { withNamed } from './modules.ts';
import { lengthOf, wrapped } from './wrap.ts';

/** Where a command's words go. Results on stdout, progress and notes on stderr. */
export interface Io {
  /** Lines of the result: with `--json` the document, else words, fitted to the terminal. */
  out(text: string): void;
  /** Lines that must reach their reader as they are: what another program reads. */
  raw(text: string): void;
  /** A line beside the result. */
  note(text: string): void;
  /** What went wrong: said beside the result, also where notes are not wanted. */
  complain(text: string): void;
  /** Overwrites the line of progress on a terminal. */
  status(text: string): void;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly ascii: boolean;
  readonly progress: 'bar' | 'lines' | 'off';
  /** How many characters a line of a table or a picture may have. */
  readonly columns: number;
  /** A text as `out` will write it, for whoever counts its characters. */
  plain(text: string): string;
  /** Text with a colour, if colours are on; the words never depend on it. */
  paint(style: Style, text: string): string;
  /** ✓ or OK, ✗ or FAIL, … or ..., by `--ascii`. */
  sign(sign: Sign): string;
}

/** What a colour means; blue and not green for good, so that it does not clash with red. */
export type Style = 'good' | 'bad' | 'warn' | 'dim' | 'strong';
/** A mark that carries the meaning without colour. */
export type Sign = 'ok' | 'fail' | 'stale' | 'stalled' | 'unknown' | 'traitor' | 'arrow' | 'none';

const styles = {
  good: 'blue',
  bad: 'red',
  warn: 'yellow',
  dim: 'dim',
  strong: 'bold',
} as const;

const signs: Readonly<Record<Sign, readonly [string, string]>> = {
  ok: ['✓', 'OK'],
  fail: ['✗', 'FAIL'],
  stale: ['◑', 'STALE'],
  stalled: ['…', '...'],
  unknown: ['?', '?'],
  traitor: ['⚠', '!'],
  arrow: ['→', '->'],
  none: ['–', '-'],
};

/** The flags that every command has. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly ascii?: boolean;
  readonly color?: string;
  readonly progress?: string;
}

/** The streams and the surroundings that decide how words look. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Stream;
  readonly stderr: Stream;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Columns of tables and pictures where nobody knows how many there are. */
const usualColumns = 100;

/** Fewer cannot hold a sentence; more make lines that nobody reads. */
const columnsWithin = { least: 20, most: 500 } as const;

/** The width that the reader has told or the terminal has; nothing where lines go to a file. */
export function columnsOf(
  env: Surroundings['env'],
  { isTTY, columns }: Pick<Stream, 'isTTY' | 'columns'>,
): number | undefined {
  const told = /^\d+$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : 0;
  const known = told > 0 ? told : isTTY ? columns : undefined;
  if (known === undefined || known <= 0) return undefined;
  return Math.min(columnsWithin.most, Math.max(columnsWithin.least, known));
}

/** Whether `auto` means colours: see https://no-color.org; FORCE_COLOR is Node's. */
function coloursByThemselves({ env, stdout }: Surroundings): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  return stdout.isTTY === true && env.TERM !== 'dumb';
}

/** A bar overwrites itself: nothing for a file, a build server, or a terminal that cannot. */
const progressByItself = ({ env, stderr }: Surroundings): 'bar' | 'lines' =>
  stderr.isTTY === true && env.TERM !== 'dumb' && !env.CI ? 'bar' : 'lines';

/** A text as people see it: its commands as they work here, its signs as the flags have them. */
export function spoken(text: string, { ascii }: GlobalFlags): string {
  const local = localised(telling(text, withNamed()));
  return ascii ? asciiOf(local) : local;
}

/** A document whose commands name the modules that this one has named. */
const documented = (json: string): string =>
  telling(json, JSON.stringify(withNamed()).slice(1, -1));

/** Words to the streams of this process, by the flags and by what the streams are. */
export function terminal(flags: GlobalFlags, around: Surroundings = process): Io {
  const { env, stdout, stderr } = around;
  const json = flags.json ?? false;
  const quiet = flags.quiet ?? false;
  const ascii = flags.ascii ?? false;
  const colour = flags.color ?? 'auto';
  const colours = colour === 'always' || (colour === 'auto' && coloursByThemselves(around));
  const chosen = flags.progress ?? 'auto';
  const progress =
    chosen === 'bar' || chosen === 'lines' || chosen === 'off' ? chosen : progressByItself(around);
  const fitted = (text: string, columns: number | undefined): string =>
    (columns === undefined ? [spoken(text, flags)] : wrapped(spoken(text, flags), columns)).join(
      '\n',
    );
  const wide = columnsOf(env, stdout);
  const wideBeside = columnsOf(env, stderr);
  const complain = (text: string): void => void stderr.write(`${fitted(text, wideBeside)}\n`);
  const raw = (text: string): void => void stdout.write(`${ascii ? asciiJson(text) : text}\n`);
  return {
    out: (text) => (json ? raw(documented(text)) : void stdout.write(`${fitted(text, wide)}\n`)),
    raw,
    note: (text) => void (quiet || complain(text)),
    complain,
    status(text) {
      const most = (wideBeside ?? usualColumns) - 1;
      const line = [...spoken(text, flags)].slice(0, most).join('');
      stderr.write(`\r\u001b[K${line}`);
    },
    json,
    quiet,
    ascii,
    // Beside a document it is shown to whoever asks for it: it is not on the document's stream.
    progress: quiet || (json && chosen === 'auto') ? 'off' : progress,
    columns: wide ?? usualColumns,
    plain: (text) => spoken(text, flags),
    paint: (style, text) =>
      colours ? styleText(styles[style], text, { validateStream: false }) : text,
    sign: (sign) => signs[sign][ascii ? 1 : 0],
  };
}

/** Progress of long work: a bar that overwrites itself, or one line per 10 % or 30 s. */
export interface Progress {
  /** `done` of `of`, and what else there is to say. */
  update(done: number, of: number, extra: string): void;
  /** Clears the bar. */
  end(): void;
}

const barWidth = 30;

/** Starts showing progress of `what`, with its rate and the time left. */
export function progressOf(io: Io, unit: string): Progress {
  const start = performance.now();
  let shownAt = start;
  let shownTenth = 0;
  const line = (done: number, of: number, extra: string): string => {
    const seconds = (performance.now() - start) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    const left = rate > 0 ? `${((of - done) / rate).toFixed(1)} s left` : 'nothing done yet';
    const count = `${grouped(done)}/${grouped(of)} ${unit}`;
    return `${count} · ${grouped(Math.round(rate))}/s · ${extra} · ${left}`;
  };
  return {
    update(done, of, extra) {
      if (io.progress === 'off') return;
      const now = performance.now();
      if (io.progress === 'bar') {
        if (now - shownAt < 100) return;
        shownAt = now;
        const words = line(done, of, extra);
        const room = Math.max(0, Math.min(barWidth, io.columns - lengthOf(words) - 3));
        const full = Math.round((room * done) / of);
        io.status(`${'█'.repeat(full)}${'░'.repeat(room - full)}  ${words}`);
        return;
      }
      const tenth = Math.floor((10 * done) / of);
      if (tenth === shownTenth && now - shownAt < 30_000) return;
      if (now - start < 1000) return;
      shownTenth = tenth;
      shownAt = now;
      io.note(`${String(Math.floor((100 * done) / of)).padStart(3)} %  ${line(done, of, extra)}`);
    },
    end() {
      if (io.progress === 'bar') io.status('');
    },
  };
}

/** 12345 as 12,345. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
