import { subjectsOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';
import { withoutFile } from '../support/own-file.ts';

for (const entry of withoutFile(import.meta.url))
  for (const { name: subject, options } of subjectsOf(entry.name))
    describe(subject, () => {
      for (const { name, run } of testProtocol(entry, options ? { options } : {})) test(name, run);
    });
