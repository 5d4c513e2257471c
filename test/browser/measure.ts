/** What scrubbing through a run takes, and what a long one takes of memory. */
import { completeScenario, runScenario } from '@quorumlab/harness';
import { parseTrace, traceBuffer } from '@quorumlab/sim';
import { layoutOf, modelOf } from '@quorumlab/trace-view';
import type { Page } from 'playwright-core';
import { goTo } from './walk.ts';

/** A run by the size of its picture, and what it is there to show. */
interface Sample {
  readonly name: string;
  readonly n: number;
  readonly f: number;
  readonly count: number;
  /** Whether every message is drawn. */
  readonly everything: boolean;
}

/** What was measured. */
interface Measured {
  readonly events: number;
  /** Arrows of the whole picture, and those in sight where the cursor stands at last. */
  readonly inAll: number;
  readonly arrows: number;
  /** Milliseconds of the page's thread from a move to the end of its frame: steps and jumps. */
  readonly median: number;
  readonly ninth: number;
  /** Milliseconds of computing of the page's process for each move, whatever else runs here. */
  readonly work: number;
  /** Megabytes of the page's heap. */
  readonly heap: number;
}

/** The trace of a run of PBFT. */
function traceOf({ n, f, count }: Sample): string {
  const trace = traceBuffer();
  runScenario(completeScenario({ protocol: 'pbft', n, f, count }), { trace });
  return trace.text();
}

/** Moves the scale 60 times, and tells for each how long its frame took. */
const scrub = `(async () => {
  const scale = document.querySelector('.scrubber input[type=range]');
  const all = Number(scale.max);
  const frame = (count) => new Promise((done) => requestAnimationFrame(() => {
    const begun = performance.now();
    scale.value = String(count);
    scale.dispatchEvent(new Event('input', { bubbles: true }));
    // Its turn comes when the frame has been made.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now() - begun);
    port2.postMessage(0);
  }));
  const times = [];
  // From the end to the start, then small steps in the middle.
  for (let i = 0; i < 30; i++) times.push(await frame(Math.round(all * (1 - i / 29))));
  for (let i = 0; i < 30; i++) times.push(await frame(Math.round(all * 0.6) + i));
  return times;
})()`;

/** Opens a run as somebody does who has its trace, and moves through it. */
export async function measureRun(page: Page, sample: Sample): Promise<Measured> {
  const buffer = Buffer.from(traceOf(sample));
  await page.reload();
  await goTo(page, '#/trace', 'Open a trace');
  const file = { name: 'a.trace.ndjson', mimeType: 'text/plain', buffer };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByText(/every line is the same/).waitFor({ timeout: 180_000 });
  if (sample.everything) await page.getByLabel(/^every message/).check();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metric = async (name: string): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((each) => each.name === name)?.value ?? 0;
  };
  await page.evaluate(scrub);
  const before = await computing(page);
  const times = (await page.evaluate(scrub)) as readonly number[];
  const after = await computing(page);
  const work = Math.max(...[...after].map(([id, time]) => time - (before.get(id) ?? 0)));
  await session.send('HeapProfiler.collectGarbage');
  const heap = (await metric('JSHeapUsedSize')) / 1_000_000;
  const sorted = [...times].sort((one, two) => one - two);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  const arrows = await page.locator('.lanes .arrow').count();
  const inAll = layoutOf(modelOf(parseTrace(buffer.toString())), sample.everything).arrows.length;
  const events = buffer.toString().split('"k":').length - 1;
  return {
    events,
    inAll,
    arrows,
    median: at(0.5),
    ninth: at(0.9),
    work: work / times.length,
    heap,
  };
}

/** Milliseconds that each process of the browser that shows pages has computed. */
async function computing(page: Page): Promise<ReadonlyMap<number, number>> {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo = [] } = (await session?.send('SystemInfo.getProcessInfo')) ?? {};
  await session?.detach();
  return new Map(
    processInfo
      .filter(({ type }) => type === 'renderer')
      .map(({ id, cpuTime }) => [id, cpuTime * 1000]),
  );
}

/** The runs that are measured, with the milliseconds that a frame may take. */
export const samples: readonly (Sample & { readonly most: number })[] = [
  { name: '1,500 arrows', n: 7, f: 2, count: 16, everything: true, most: 16 },
  { name: 'dense', n: 31, f: 10, count: 1, everything: true, most: 16 },
  { name: '20,000 events', n: 7, f: 2, count: 90, everything: false, most: 33 },
  { name: '20,000 events, every message', n: 7, f: 2, count: 90, everything: true, most: 33 },
];

/** 100,000 events, for memory. */
export const long: Sample = {
  ...{ name: '100,000 events', n: 13, f: 4, count: 135, everything: false },
};
