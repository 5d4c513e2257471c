/** `npm run golden`: writes the golden bytes of what is new, or has a version that was raised. */
import { flagsOf } from '../support/flags.ts';
import { readGolden, writeGolden } from './files.ts';
import { formats } from './formats.ts';
import { renewed, SameVersionError } from './golden.ts';

flagsOf('Usage: npm run golden\n\nWrites what is new, or has a version that was raised.', {});
for (const format of formats)
  try {
    writeGolden(format.name, await renewed(format, readGolden(format.name)));
  } catch (error) {
    if (!(error instanceof SameVersionError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
