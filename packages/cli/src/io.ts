import { styleText } from 'node:util';

/** Where a command's words go. Results on stdout, progress and notes on stderr. */
export interface Io {
  /** A line of the result. */
  out(text: string): void;
  /** A line beside the result. */
  note(text: string): void;
  /** Overwrites the line of progress on a terminal. */
  status(text: string): void;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly progress: 'bar' | 'lines' | 'off';
  /** Characters of a line of the result. */
  readonly width: number;
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

/** Words to the streams of this process, by the flags and by what the streams are. */
export function terminal(flags: GlobalFlags): Io {
  const { env, stdout, stderr } = process;
  const wanted = flags.color ?? 'auto';
  const auto = env.NO_COLOR ? false : Boolean(env.FORCE_COLOR) || stdout.isTTY === true;
  const colours = wanted === 'always' || (wanted === 'auto' && auto);
  const chosen = flags.progress ?? 'auto';
  const progress =
    chosen === 'bar' || chosen === 'lines' || chosen === 'off'
      ? chosen
      : stderr.isTTY === true
        ? 'bar'
        : 'lines';
  return {
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void (flags.quiet || stderr.write(`${text}\n`)),
    status: (text) => void stderr.write(`\r\u001b[K${text}`),
    json: flags.json ?? false,
    quiet: flags.quiet ?? false,
    width: stdout.columns ?? 120,
    progress: flags.quiet || flags.json ? 'off' : progress,
    paint: (style, text) =>
      colours ? styleText(styles[style], text, { validateStream: false }) : text,
    sign: (sign) => signs[sign][flags.ascii ? 1 : 0],
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
    const left = rate > 0 ? (of - done) / rate : 0;
    const count = `${grouped(done)}/${grouped(of)} ${unit}`;
    return `${count} · ${grouped(Math.round(rate))}/s · ${extra} · ${left.toFixed(1)} s left`;
  };
  return {
    update(done, of, extra) {
      if (io.progress === 'off') return;
      const now = performance.now();
      if (io.progress === 'bar') {
        if (now - shownAt < 100) return;
        shownAt = now;
        const full = Math.round((barWidth * done) / of);
        const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
        io.status(`${bar}  ${line(done, of, extra)}`);
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
