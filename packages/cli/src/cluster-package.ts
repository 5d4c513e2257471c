import { fileURLToPath } from 'node:url';
import { usageError } from './errors.ts';

const name = '@quorumlab/cluster';

/**
 * The package of real processes, loaded only when somebody asks for one: it brings libp2p, and who
 * only simulates need not install it. Throws an `Exit` that says how to get it.
 */
export async function clusterPackage(): Promise<typeof import('@quorumlab/cluster')> {
  try {
    return await import('@quorumlab/cluster');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw usageError(
      'QL110',
      `real processes need ${name} (43 MB, with libp2p).\n  install   ${installing()}`,
    );
  }
}

/** Whether the package is not there, which is no error for who simulates. */
export const lacksClusterPackage = (): Promise<boolean> =>
  import('@quorumlab/cluster').then(
    () => false,
    (error: unknown) => isMissing(error),
  );

/** The package itself, or one that it needs, is not there. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';

/** What puts the package where this one finds it: beside itself. */
export function installing(
  here: string = fileURLToPath(import.meta.url),
  cwd: string = process.cwd(),
): string {
  if (/[\\/]_npx[\\/]/.test(here)) return `npx -p quorumlab -p ${name} quorumlab`;
  const [project = here] = here.split(/[\\/]node_modules[\\/]/);
  const isOurs = project !== here && (cwd === project || cwd.startsWith(`${project}/`));
  return `npm i ${isOurs || project === here ? '' : '-g '}${name}`;
}
