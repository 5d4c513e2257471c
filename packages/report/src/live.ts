/** What makes a report live where scripts are on: the viewer, packed, and what offers it. */
import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { type Html, html, raw } from './markup.ts';

/** The script of a page: it runs only if the policy of the page names its digest. */
export interface Live {
  readonly elements: Html;
  /** What the page's policy has to allow, and nothing else. */
  readonly policy: string;
}

/**
 * Offers the viewer beside each run that the page holds. All of its words are here: nothing that a
 * run says becomes markup, or is run. The packed script is unpacked when somebody first asks.
 */
const offer = `(() => {
  const packed = document.getElementById('viewer').textContent;
  let coming;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const text = await new Response(plain).text();
    const script = document.createElement('script');
    script.src = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error('its script was not run'));
      document.head.append(script);
    });
  };
  const make = (name, text, more) =>
    Object.assign(document.createElement(name), { textContent: text, ...more });
  for (const held of document.querySelectorAll('script.trace')) {
    const run = JSON.parse(held.textContent);
    const line = make('p', '', { className: 'offer' });
    const said = make('span', '');
    said.setAttribute('role', 'status');
    const place = document.createElement('div');
    const button = (title, again) => {
      const it = make('button', title, { type: 'button' });
      it.setAttribute('aria-label', title + ': ' + run.name);
      it.onclick = async () => {
        said.textContent = ' One moment …';
        try {
          await (coming ??= unpack());
          await quorumlabShow(place, run, again);
          said.textContent = '';
        } catch (error) {
          said.textContent = ' This browser cannot show it: ' + error.message +
            '. Use the lines above.';
        }
      };
      line.append(it, ' ');
    };
    if (run.deflated !== undefined) button('Step through it here', false);
    if (!run.isOwn) button('Run it again here', true);
    line.append(said);
    held.after(line, place);
  }
})();`;

/** The elements of a viewer, whose script is given as text. */
export function liveOf(viewer: string): Live {
  const digest = createHash('sha256').update(offer).digest('base64');
  const packed = deflateRawSync(viewer, { level: 9 }).toString('base64');
  return {
    elements: html`<script type="application/octet-stream" id="viewer">${raw(packed)}</script>
<script>${raw(offer)}</script>`,
    policy: `; script-src 'sha256-${digest}' blob:; worker-src blob:`,
  };
}
