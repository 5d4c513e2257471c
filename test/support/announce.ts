import { findChromium } from './chromium.ts';

/** Before the first test: says in one line what this machine cannot test. */
export function setup(): void {
  if (findChromium() !== undefined) return;
  console.log('No Chromium found (set CHROMIUM_PATH or install one): browser tests are left out.');
}
