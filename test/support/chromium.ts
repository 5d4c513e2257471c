import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
] as const;
const elsewhere = [
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
] as const;

/** The environment variables that decide which Chromium is taken. */
export type ChromiumEnvironment = Readonly<{ CHROMIUM_PATH?: string; PATH?: string }>;

/**
 * Path of a Chromium on this machine: CHROMIUM_PATH if set (then nothing else counts), else the
 * first on PATH, else a usual place. Undefined if there is none that may be executed.
 */
export function findChromium(environment: ChromiumEnvironment = process.env): string | undefined {
  if (environment.CHROMIUM_PATH) return [environment.CHROMIUM_PATH].find(isExecutable);
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const usual = ['/usr/bin', '/usr/local/bin'];
  const onPath = [...folders, ...usual].flatMap((folder) =>
    names.map((name) => join(folder, name)),
  );
  return [...onPath, ...elsewhere].find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
