#!/usr/bin/env node
import { main } from './program.ts';

// A reader that closes the pipe early (head, less) has seen enough: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await main(process.argv);
