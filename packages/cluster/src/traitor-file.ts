/** Who has ever lied counts as a traitor for good: its state may be anything. */
import { readFileSync, writeFileSync } from 'node:fs';
import { paths } from './config.ts';
import { codeOf } from './errors.ts';

/** The attack that the node in `home` was last told, if ever. */
export function readTraitor(home: string): string | undefined {
  try {
    return readFileSync(paths.traitor(home), 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Notes that the node in `home` lies. */
export function writeTraitor(home: string, attack: string): void {
  writeFileSync(paths.traitor(home), `${attack}\n`, { mode: 0o600 });
}
