import { memoryMedium, testDisk } from '@quorumlab/harness/testing';
import { describe, test } from 'vitest';

describe('the disk', () => {
  for (const { name, run } of testDisk(memoryMedium)) test(name, run);
});
