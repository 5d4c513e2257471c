import { usageError } from './errors.ts';

/**
 * The package of real processes, loaded only when somebody asks for one: it brings libp2p, and who
 * only simulates need not install it. Throws an `Exit` that says how to get it.
 */
export async function clusterPackage(): Promise<typeof import('@quorumlab/cluster')> {
  try {
    return await import('@quorumlab/cluster');
  } catch (error) {
    const missing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!missing || !error.message.includes('@quorumlab/cluster')) throw error;
    throw usageError(
      'QL110',
      'real processes need @quorumlab/cluster (43 MB, with libp2p).\n' +
        '  install   npm i @quorumlab/cluster',
    );
  }
}
